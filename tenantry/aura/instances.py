"""What is done with an instance: judged, made, changed, looked at, deleted. No Pulumi here.

An instance is known by its name, which is derived from the registry. Aura does not keep names unique and has no way to say the
same create twice, so a create looks for the name first, and never goes on where it finds one that the stack does not know.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from tenantry.aura.errors import (
    AMBIGUOUS,
    AuraConflictError,
    AuraError,
    AuraNotFoundError,
    AuraQuotaError,
    InstanceError,
)
from tenantry.aura.models import DESTROYING, PAUSED
from tenantry.aura.polling import looks
from tenantry.aura.settings import Polling
from tenantry.aura.shared_file import locked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.aura.client import AuraClient
    from tenantry.aura.clock import Deadline
    from tenantry.aura.models import Instance, InstanceConfiguration, InstanceSummary

NAME_LENGTH: Final = 30
GRACE_SECONDS: Final = 60.0
"""For so long after a create, a 404 says nothing: the API's parts do not agree at once."""
_AFTER_LOST: Final = Polling(first=5, most=5, deadline=16)
_SNAPSHOT_ENDS: Final = frozenset({"Failed", "Cancelled"})


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


@dataclass(frozen=True)
class Adoption:
    """An instance that is there already and is to be taken over, with the password that only its maker knows."""

    instance_id: str
    password: str = field(repr=False)
    username: str = "neo4j"


@dataclass(frozen=True)
class Made:
    """An instance with what it answers to."""

    id: str
    connection_url: str
    username: str
    password: str = field(repr=False)
    created_at: str


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
    """Judge type, cloud, region, version and memory against what the project offers; the first that fits nothing is named.

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
                return Fault("name", _taken(wanted, found))
    return None


def make(client: AuraClient, wanted: Wanted, adoption: Adoption | None) -> Made:
    """Make the instance and return at once, or take over the one that is named.

    :raises InstanceError: the name is taken, the limit is reached, or the answer to the create was lost
    :raises AuraError: Aura refused it, or did not answer before anything was sent
    """
    if adoption:
        return _adopt(client, wanted, adoption)
    # A run that was killed may have left a process behind that is still about to make this very instance: between its look and
    # its create, nobody else looks.
    bucket = hashlib.sha256(wanted.name.encode()).hexdigest()[:2]
    patience = client.settings.polling.deadline
    with locked(client.settings.file(f"create-{bucket}"), client.clock, patience=patience):
        return _make(client, wanted)


def _make(client: AuraClient, wanted: Wanted) -> Made:
    _refuse_same_name(client, wanted)
    body = {
        "name": wanted.name,
        "type": wanted.type,
        "cloud_provider": wanted.cloud,
        "region": wanted.region,
        "memory": wanted.memory,
        "version": wanted.version,
        "tenant_id": wanted.tenant_id,
    }
    try:
        created = client.create_instance(body)
    except AMBIGUOUS as error:
        raise InstanceError(_lost(client, wanted, error)) from None
    except AuraQuotaError as error:
        raise InstanceError(
            f"{wanted.target}: the account's limit of instances is reached: delete one, or take another type; {error}"
        ) from None
    return Made(
        created.id,
        created.connection_url,
        created.username,
        created.password.get_secret_value(),
        created.created_at,
    )


def change(
    client: AuraClient,
    target: str,
    instance_id: str,
    *,
    name: str | None = None,
    memory: str | None = None,
) -> None:
    """Rename and resize in place; wait while another operation is under way.

    :raises InstanceError: it is paused, gone, or busy for too long; another instance has the name
    """
    if name is not None:
        _refuse_twin(client, target, instance_id, name)
    conflict = ""
    for deadline in looks(client.settings.polling, client.clock):
        try:
            client.change_instance(instance_id, name=name, memory=memory, deadline=deadline)
        except AuraNotFoundError as error:
            raise InstanceError(f"{target}: {error}: pulumi refresh, then pulumi up") from None
        except AuraConflictError as error:
            conflict = str(error)
            status = client.instance(instance_id, deadline=deadline).status
            if status in PAUSED:
                raise InstanceError(
                    f"{target}: instance {instance_id} is {status} and cannot be changed so: write paused: false, apply, then change it"
                ) from None
        else:
            return
    raise InstanceError(
        f"{target}: instance {instance_id} stays busy: {conflict}; pulumi up tries again"
    )


def _refuse_twin(client: AuraClient, target: str, instance_id: str, name: str) -> None:
    listed = client.instances(client.settings.tenant_id)
    twins = [each.id for each in listed if each.name == name and each.id != instance_id]
    if twins:
        raise InstanceError(
            f'{target}: Aura has another instance named "{name}" ({", ".join(twins)}), and a name is how ours are known: rename or '
            "delete that one, then pulumi up"
        )


def look(
    client: AuraClient, instance_id: str, *, tenant_id: str, created_at: str
) -> Instance | None:
    """Return the instance; None where a 404 may still be the echo of its create.

    :raises GoneError: it is certainly gone
    """
    try:
        return client.instance(instance_id)
    except AuraNotFoundError:
        if _is_young(client, created_at):
            return None
        _confirm_gone(client, instance_id, tenant_id)
        raise GoneError(instance_id) from None


class GoneError(InstanceError):
    """An instance that is certainly not there."""

    def __init__(self, instance_id: str) -> None:
        """Name it."""
        super().__init__(f"instance {instance_id} is gone")


def remove(
    client: AuraClient,
    target: str,
    instance_id: str,
    *,
    tenant_id: str,
    created_at: str,
    snapshot: bool,
    until_gone: bool,
) -> None:
    """Delete the instance; one that is gone already is a success.

    :param snapshot: take a snapshot first. Aura keeps it no longer than the instance's own retention
    :param until_gone: wait until its place in the account's limit is free
    :raises InstanceError: it stays busy, or the snapshot fails
    """
    if snapshot:
        _snapshot(client, target, instance_id)
    going = _Removal(client, instance_id, tenant_id, created_at)
    for deadline in looks(client.settings.polling, client.clock):
        gone = going.step(deadline)
        if gone or (going.begun and not until_gone):
            return
    if not going.begun:
        raise InstanceError(
            f"{target}: instance {instance_id} is not deleted: {going.seen}; pulumi up tries again"
        )


class _Removal:
    def __init__(
        self, client: AuraClient, instance_id: str, tenant_id: str, created_at: str
    ) -> None:
        self.begun = False
        self.seen = "Aura does not show it yet"
        self._client = client
        self._id = instance_id
        self._tenant_id = tenant_id
        self._created_at = created_at

    def step(self, deadline: Deadline) -> bool:
        """Ask for the deletion unless it has begun; return whether the instance is gone."""
        try:
            if not self.begun:
                self._client.delete_instance(self._id, deadline=deadline)
                self.begun = True
        except AuraConflictError as error:
            self.seen = str(error)
            return False
        except AuraNotFoundError:
            pass  # gone, on its way out, or too young to be known everywhere: the look tells
        try:
            found = self._client.instance(self._id, deadline=deadline)
        except AuraNotFoundError:
            return self.begun or self._is_gone()
        self.begun = self.begun or found.status == DESTROYING
        return False

    def _is_gone(self) -> bool:
        if _is_young(self._client, self._created_at):
            return False
        _confirm_gone(self._client, self._id, self._tenant_id)
        return True


def _adopt(client: AuraClient, wanted: Wanted, adoption: Adoption) -> Made:
    try:
        found = client.instance(adoption.instance_id)
    except AuraNotFoundError as error:
        raise InstanceError(f"{wanted.target}: the instance to take over: {error}") from None
    differing = [
        f"{key} {actual} and not {asked}"
        for key, actual, asked in (
            ("type", found.type, wanted.type),
            ("cloud", found.cloud_provider, wanted.cloud),
            ("region", found.region, wanted.region),
            ("project", found.tenant_id, wanted.tenant_id),
        )
        if actual is not None and actual != asked
    ]
    if differing:
        raise InstanceError(
            f"{wanted.target}: instance {found.id} has {', '.join(differing)}, which Aura cannot change: write what it has into the "
            "registry, or take over another"
        )
    others = [each for each in client.instances(wanted.tenant_id) if each.id != found.id]
    if fault := same_name_fault(client, wanted, others):
        raise InstanceError(fault.message)
    memory = wanted.memory if found.memory not in {None, wanted.memory} else None
    name = wanted.name if found.name != wanted.name else None
    if memory or name:
        change(client, wanted.target, found.id, name=name, memory=memory)
    created_at = found.created_at.isoformat() if found.created_at else ""
    url = found.connection_url
    if not url:
        raise InstanceError(
            f"{wanted.target}: instance {found.id} is {found.status} and has no URL: resume it in Aura, then pulumi up"
        )
    return Made(found.id, url, adoption.username, adoption.password, created_at)


def _refuse_same_name(client: AuraClient, wanted: Wanted) -> None:
    going: list[str] = []
    for deadline in looks(client.settings.polling, client.clock):
        going = []
        listed = client.instances(wanted.tenant_id, deadline=deadline)
        for summary in [each for each in listed if each.name == wanted.name]:
            try:
                found = client.instance(summary.id, deadline=deadline)
            except AuraNotFoundError:
                continue  # the list is behind
            if found.status != DESTROYING:
                raise InstanceError(_taken(wanted, found))
            going.append(found.id)
        if not going:
            return
    raise InstanceError(
        f"{wanted.target}: instance {', '.join(going)} of the same name is still being destroyed: pulumi up when it is gone"
    )


def _taken(wanted: Wanted, found: Instance) -> str:
    since = f", made {found.created_at:%Y-%m-%d %H:%M} UTC" if found.created_at else ""
    return (
        f'{wanted.target}: Aura has an instance named "{wanted.name}" that this stack does not know ({found.id}, {found.status}{since}), '
        "and its password was told to its maker only. If a create of ours was cut off, nothing is in it: "
        f"tenantry graph delete {found.id} --name {wanted.name}, then pulumi up. To take it over: {adopting(wanted.target, found.id)}"
    )


def adopting(target: str, instance_id: str) -> str:
    """Return the commands by which an instance is taken over."""
    path = f'tenantry:adoptGraphs["{target}"]'
    return f"pulumi config set --path '{path}.instance' {instance_id}, pulumi config set --secret --path '{path}.password', then pulumi up"


def _lost(client: AuraClient, wanted: Wanted, error: AuraError) -> str:
    found: list[str] = []
    try:
        for deadline in looks(_AFTER_LOST, client.clock):
            listed = client.instances(wanted.tenant_id, deadline=deadline)
            found = [each.id for each in listed if each.name == wanted.name]
            if found:
                break
    except AuraError:
        found = []  # the first error is the one to be told
    if found:
        settled = ", ".join(f"tenantry graph delete {each} --name {wanted.name}" for each in found)
        return (
            f"{wanted.target}: the instance was made ({', '.join(found)}), and the answer with its password was lost; nothing is in it: "
            f"{settled}, then pulumi up. ({error})"
        )
    return (
        f"{wanted.target}: whether the instance was made is not known: pulumi up looks for its name first, and says what to do if it is "
        f"there. ({error})"
    )


def _snapshot(client: AuraClient, target: str, instance_id: str) -> None:
    snapshot_id, busy = "", ""
    for deadline in looks(client.settings.polling, client.clock):
        try:
            snapshot_id = snapshot_id or client.create_snapshot(instance_id, deadline=deadline)
            status = client.snapshot(instance_id, snapshot_id, deadline=deadline).status
        except AuraConflictError as error:
            busy = str(error)
            continue
        except AuraNotFoundError:
            if not snapshot_id:
                return  # no instance, nothing to keep
            continue
        if status == "Completed":
            return
        if status in _SNAPSHOT_ENDS:
            break
    raise InstanceError(
        f"{target}: no snapshot of instance {instance_id} before its deletion: {busy or 'it did not complete'}; nothing was deleted. "
        "pulumi up tries again; without one: snapshot_before_delete: false, applied first"
    )


def _is_young(client: AuraClient, created_at: str) -> bool:
    try:
        made = datetime.fromisoformat(created_at).timestamp()
    except ValueError:
        return False
    return client.clock.wall() - made < GRACE_SECONDS


def _confirm_gone(client: AuraClient, instance_id: str, tenant_id: str) -> None:
    # Another account's credentials get a 404 too: only who sees the project may say that something is not in it.
    if any(each.id == instance_id for each in client.instances(tenant_id)):
        raise InstanceError(
            f"instance {instance_id} is in Aura's list and not to be found: try again in a minute"
        )


def _by_size(value: str) -> tuple[int, str]:
    digits = value.removesuffix("GB")
    return (int(digits), value) if digits.isdigit() else (0, value)
