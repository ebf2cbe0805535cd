"""The account behind the API: one tenant, its instances, and what time makes of them.

Nothing runs in the background. An operation is a record with a beginning and an end, and whoever looks at an instance
after the end finds its outcome; so a restart, or a kill, interrupts none.
"""

from __future__ import annotations

import time
from hmac import compare_digest
from typing import TYPE_CHECKING

from localcloud.aura import errors, ids
from localcloud.aura.tokens import Tokens
from localcloud.limits import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcloud.aura.neo4j import Neo4j
    from localcloud.aura.records import AuraInstance, AuraKey, AuraSnapshot
    from localcloud.records import Json
    from localcloud.settings import Settings
    from localcloud.state import Change, State

DESTROYING = "destroying"


class Aura:
    """One account. ``now`` gives Unix seconds; ``neo4j`` answers queries where there is one."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        *,
        neo4j: Neo4j | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.state = state
        self.neo4j = neo4j
        self.now = now
        self.tokens = Tokens(settings.aura_client_secret, settings.aura_token_seconds)
        self.requests = RateLimit(settings.aura_rate_limit)
        self.token_requests = RateLimit(settings.aura_rate_limit)

    # Look-ups.

    def instances(self) -> list[AuraInstance]:
        """Return all instances as they are now, oldest first."""
        return [each for each in list(self.state.aura_instances.values()) if self._settle(each)]

    def instance(self, instance_id: str) -> AuraInstance:
        """Return an instance as it is now. Raises ApiError 404."""
        found = self.state.aura_instances.get(instance_id)
        if found is None or not self._settle(found):
            raise errors.instance_not_found(instance_id)
        return found

    def shows(self, instance: AuraInstance) -> bool:
        """Whether a GET of the instance finds it yet: a young one is not known everywhere."""
        return self.now() >= instance.created + self.settings.aura_lag_seconds

    def status(self, instance: AuraInstance) -> str:
        """Return the status that the API shows; for a moment after a resize it is still the one before."""
        if instance.operation is None or self.now() < instance.operation_from:
            return instance.status
        return instance.operation

    def snapshots(self, instance: AuraInstance) -> list[AuraSnapshot]:
        """Return an instance's snapshots that have begun, oldest first."""
        now = self.now()
        found = [each for each in self.state.aura_snapshots.of(instance.id) if each.taken <= now]
        return sorted(found, key=lambda snapshot: snapshot.taken)

    def snapshot(self, instance: AuraInstance, snapshot_id: str) -> AuraSnapshot:
        """Return a snapshot of an instance. Raises ApiError 404."""
        for each in self.snapshots(instance):
            if each.id == snapshot_id:
                return each
        raise errors.snapshot_not_found(snapshot_id)

    def is_complete(self, snapshot: AuraSnapshot) -> bool:
        """Whether a snapshot has been taken to its end."""
        return self.now() >= snapshot.completed

    def is_snapshotting(self, instance: AuraInstance) -> bool:
        """Whether a snapshot of the instance is being taken."""
        return any(not self.is_complete(each) for each in self.snapshots(instance))

    def holder(self, username: str, password: str) -> AuraInstance | None:
        """Return the instance whose credentials these are.

        All share one address, and several have the user ``neo4j``, so it is the password that tells them apart.
        """
        digest = ids.digest(password)
        for instance in self.instances():
            if instance.username == username and compare_digest(instance.password_sha256, digest):
                return instance
        return None

    # Rules.

    def check_tenant(self, tenant_id: str) -> None:
        """Refuse a tenant that is not this account's. Raises ApiError 404."""
        if tenant_id != self.settings.aura_tenant_id:
            raise errors.tenant_not_found()

    def check_idle(self, instance: AuraInstance) -> None:
        """Refuse while an operation is under way, even one that is not shown yet. Raises ApiError 409."""
        if instance.operation is not None:
            raise errors.busy(instance.operation)

    def check_running(self, instance: AuraInstance, action: str) -> None:
        """Refuse what only an idle, running instance can do. Raises ApiError 409."""
        self.check_idle(instance)
        if instance.status != "running":
            raise errors.unavailable(action, instance.status)

    def key(self, key_id: str, field: str | None = None) -> AuraKey:
        """Return a customer managed key. Raises ApiError 404, which names the body's field that it was asked for by."""
        found = self.state.aura_keys.get(key_id)
        if found is None:
            raise errors.key_not_found(key_id, field)
        return found

    # Operations.

    def begin(
        self,
        change: Change,
        instance: AuraInstance,
        operation: str,
        outcome: Json,
        *,
        after: float = 0.0,
        seconds: float | None = None,
    ) -> None:
        """Start an operation that shows ``after`` seconds and takes ``seconds`` (that of changes) from then on."""
        length = self.settings.aura_change_seconds if seconds is None else seconds
        instance.operation = operation
        instance.operation_from = self.now() + after
        instance.operation_until = instance.operation_from + length
        instance.outcome = outcome
        change.put(instance)

    def _settle(self, instance: AuraInstance) -> bool:
        """Carry out what has ended by now; False if that was the instance's end."""
        if instance.operation is None or self.now() < instance.operation_until:
            return True
        with self.state.change() as change:
            if instance.operation == DESTROYING:
                change.delete(instance, *self.state.aura_snapshots.of(instance.id))
                return False
            for name, value in instance.outcome.items():
                setattr(instance, name, value)
            instance.operation = None
            instance.outcome = {}
            change.put(instance)
        return True
