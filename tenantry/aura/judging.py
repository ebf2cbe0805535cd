"""What speaks against an instance, before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from tenantry.aura.errors import AuraNotFoundError
from tenantry.aura.models import DESTROYING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.aura.client import AuraClient
    from tenantry.aura.models import Instance, InstanceConfiguration, InstanceSummary

NAME_LENGTH: Final = 30


@dataclass(frozen=True)
class Wanted:
    """An instance as the registry asks for it."""

    target: str
    """Whose it is: `acme/web`, or `acme/web/alice` for one of a user."""
    name: str
    type: str
    cloud: str
    region: str
    memory: str
    version: str
    tenant_id: str


class Fault(NamedTuple):
    """Why an instance cannot be made: the field, and one line."""

    field: str
    message: str


def name_fault(target: str, name: str) -> Fault | None:
    """Judge a name: 1 to 30 characters without blanks at its ends (API document, `POST /instances`)."""
    if 1 <= len(name) <= NAME_LENGTH and name == name.strip():
        return None
    return Fault(
        "name",
        f"{target}: the name {name!r} must have 1 to {NAME_LENGTH} characters, no blanks at its ends",
    )


def combination_fault(
    wanted: Wanted, configurations: Iterable[InstanceConfiguration]
) -> Fault | None:
    """Judge type, cloud, region, version and memory by what the project offers. The first that fits nothing is named.

    A project that lists nothing is not judged.
    """
    left = list(configurations)
    chosen: list[str] = []
    for key, attribute in (
        ("type", "type"),
        ("cloud", "cloud_provider"),
        ("region", "region"),
        ("version", "version"),
        ("memory", "memory"),
    ):
        value = getattr(wanted, key)
        fitting = [each for each in left if getattr(each, attribute) == value]
        if left and not fitting:
            offered = sorted({getattr(each, attribute) for each in left}, key=_by_size)
            beside = f" with {', '.join(chosen)}" if chosen else ""
            return Fault(
                key,
                f'{wanted.target}: graph.{key} "{value}" is not offered to Aura project {wanted.tenant_id}{beside}: '
                f"write one of {', '.join(offered)}",
            )
        left = fitting
        chosen.append(f"{key} {value}")
    return None


def same_name_fault(
    client: AuraClient, wanted: Wanted, listed: Iterable[InstanceSummary]
) -> Fault | None:
    """Judge whether an instance of this name is there that is not on its way out."""
    for summary in listed:
        if summary.name == wanted.name:
            try:
                found = client.instance(summary.id)
            except AuraNotFoundError:
                continue
            if found.status != DESTROYING:
                return Fault("name", taken(wanted, found))
    return None


def taken(wanted: Wanted, found: Instance) -> str:
    """Say that an instance has the name, and both ways on."""
    since = f", made {found.created_at:%Y-%m-%d %H:%M} UTC" if found.created_at else ""
    return (
        f'{wanted.target}: Aura has an instance named "{wanted.name}" that this stack does not know ({found.id}, {found.status}{since}), '
        "and its password was told to its maker only. If a create of ours was cut off, nothing is in it: "
        f"tenantry graph delete {found.id} --name {wanted.name}, then tenantry up. To take it over: {adopting(wanted.target, found.id)}"
    )


def adopting(target: str, instance_id: str) -> str:
    """Return the commands by which an instance is taken over."""
    path = f'tenantry:adoptGraphs["{target}"]'
    return f"pulumi config set --path '{path}.instance' {instance_id}, pulumi config set --secret --path '{path}.password', then tenantry up"


def _by_size(value: str) -> tuple[int, str]:
    digits = value.removesuffix("GB")
    return (int(digits), value) if digits.isdigit() else (0, value)
