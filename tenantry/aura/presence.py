"""Whether an instance is there: a 404 says so only with care."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from tenantry.aura.errors import AuraNotFoundError, InstanceError, UnfinishedError

if TYPE_CHECKING:
    from tenantry.aura.client import AuraClient
    from tenantry.aura.models import Instance

GRACE_SECONDS: Final = 60.0
"""For so long after a create, a 404 says nothing: the API's parts do not agree at once."""


class GoneError(InstanceError):
    """An instance that is certainly not there."""

    def __init__(self, instance_id: str) -> None:
        """Name it."""
        super().__init__(f"instance {instance_id} is gone")


def look(
    client: AuraClient, instance_id: str, *, tenant_id: str, created_at: str
) -> Instance | None:
    """Return the instance; None where a 404 may still be the echo of its create.

    :raises GoneError: it is certainly gone
    """
    try:
        return client.instance(instance_id)
    except AuraNotFoundError:
        if is_young(client, created_at):
            return None
        confirm_gone(client, instance_id, tenant_id)
        raise GoneError(instance_id) from None


def is_young(client: AuraClient, created_at: str) -> bool:
    """Return whether a 404 may still be the echo of a create at this moment (ISO 8601; empty where it is not known)."""
    try:
        made = datetime.fromisoformat(created_at).timestamp()
    except ValueError:
        return False
    return client.clock.wall() - made < GRACE_SECONDS


def confirm_gone(client: AuraClient, instance_id: str, tenant_id: str) -> None:
    """Return where the project's list does not have the instance.

    :raises UnfinishedError: it has
    :raises AuraError: these credentials cannot say
    """
    # Credentials of another account get a 404 too. Only those that see the project can say what is not in it.
    if any(each.id == instance_id for each in client.instances(tenant_id)):
        raise UnfinishedError(
            f"instance {instance_id} is in Aura's list and not to be found: try again in a minute"
        )
