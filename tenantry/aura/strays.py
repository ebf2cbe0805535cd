"""Instances that Aura has and no stack holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenantry.aura.errors import AuraNotFoundError, AuraSettingsError, InstanceError
from tenantry.aura.settings import AuraSettings, read_settings
from tenantry.stack import configuration, outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


def delete_stray(
    instance_id: str,
    name: str,
    environment: Mapping[str, str],
    *,
    transport: httpx.BaseTransport | None = None,
) -> None:
    """Delete an instance that this stack does not hold, and wait until it is gone.

    :param name: what it must be called
    :param environment: the variables to run `pulumi` with; the stack's settings are read where these have none for Aura
    :param transport: what carries the requests, for tests
    :raises InstanceError: the stack holds it, or it has another name
    """
    from tenantry.aura.client import AuraClient  # noqa: PLC0415 not for a refusal
    from tenantry.aura.removing import remove  # noqa: PLC0415

    if holder := _holder(outputs(environment), instance_id):
        raise InstanceError(
            f"{instance_id} is the graph {holder} of this stack: to delete it, take it out of the registry"
        )
    with AuraClient(_settings(environment), transport=transport) as client:
        try:
            found = client.instance(instance_id)
        except AuraNotFoundError:
            return
        if found.name != name:
            raise InstanceError(
                f'{instance_id} is called "{found.name}" in Aura, and not "{name}": nothing was deleted'
            )
        remove(
            client,
            name,
            instance_id,
            tenant_id=found.tenant_id or client.settings.tenant_id,
            created_at=found.created_at.isoformat() if found.created_at else "",
            snapshot=False,
            until_gone=True,
        )


def _holder(found: Mapping[str, Any], instance_id: str) -> str | None:
    for app in found.get("apps", {}).values():
        for graph, facts in app.get("graphs", {}).items():
            if facts["instance"] == instance_id:
                return str(graph)
    return None


def _settings(environment: Mapping[str, str]) -> AuraSettings:
    try:
        return read_settings(None, environment)
    except AuraSettingsError:
        kept = configuration(environment)
        return read_settings(lambda name: kept.get(f"tenantry:{name}"), environment)
