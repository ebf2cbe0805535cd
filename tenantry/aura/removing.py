"""An instance's end: a snapshot where one is asked for, the deletion, and the wait until it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.aura.errors import (
    AuraConflictError,
    AuraNotFoundError,
    InstanceError,
    UnfinishedError,
)
from tenantry.aura.models import DESTROYING
from tenantry.aura.polling import looks
from tenantry.aura.presence import confirm_gone, is_young

if TYPE_CHECKING:
    from tenantry.aura.client import AuraClient
    from tenantry.aura.clock import Deadline

_SNAPSHOT_ENDS: Final = frozenset({"Failed", "Cancelled"})


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
    :raises UnfinishedError: it stays busy
    :raises InstanceError: the snapshot fails
    """
    if snapshot:
        _snapshot(client, target, instance_id)
    going = _Removal(client, instance_id, tenant_id, created_at)
    for deadline in looks(client.settings.polling, client.clock):
        gone = going.step(deadline)
        if gone or (going.begun and not until_gone):
            return
    if not going.begun:
        raise UnfinishedError(
            f"{target}: instance {instance_id} is not deleted: {going.seen}; tenantry up tries again"
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
        if is_young(self._client, self._created_at):
            return False
        confirm_gone(self._client, self._id, self._tenant_id)
        return True


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
        "tenantry up tries again; without one: snapshot_before_delete: false, applied first"
    )
