"""The lists of roles and databases, kept in step with what clients make and drop over SQL."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from localcloud.neon.operations import UNFINISHED
from localcloud.postgres import catalog
from localcloud.postgres.cluster import ClusterError
from localcloud.records import Database, Role

if TYPE_CHECKING:
    from localcloud.clock import Clock
    from localcloud.postgres.catalog import FoundDatabase
    from localcloud.postgres.cluster import Cluster
    from localcloud.records import Branch, Operation
    from localcloud.state import State

_SECONDS = 5.0
"""How long a server may take to answer: a suspension waits for it."""

_WRITERS = frozenset(
    {
        "create_timeline",
        "create_branch",
        "restore_branch",
        "delete_branch",
        "create_role",
        "drop_role",
        "create_database",
        "alter_database",
        "drop_database",
    }
)
"""Tasks during which state and server differ, since the state is ahead."""

_log = logging.getLogger("localcloud.lists")


class Lists:
    """Takes the lists of a branch over into the state.

    While clients can reach a branch's server, ``Branch.lists_stale`` is set, durably. It is cleared once the lists were
    taken right before the server stopped; so after a crash it is still set, and they are taken when next asked for.
    """

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    async def sync(self, branch: Branch, cluster: Cluster) -> None:
        """Bring the lists up to date, where they may not be. A server that sleeps is started only after a crash.

        Lists that cannot be taken stay as they are, with a line in the log.
        """
        if cluster.running:
            await self.take(branch.id, cluster)
            return
        if not branch.lists_stale or _writing(self._newest_writer(branch)):
            return
        try:
            async with cluster.held():
                taken = await self.take(branch.id, cluster)
        except ClusterError as error:
            _log.warning("cannot list what branch %s has: %s", branch.id, error)
            return
        if taken:
            self.closed(branch.id, cluster)

    def opened(self, branch_id: str) -> None:
        """Note that clients can reach the server from now on."""
        branch = self._state.branches.get(branch_id)
        if branch is not None and not branch.lists_stale:
            branch.lists_stale = True
            self._state.put(branch)

    def closed(self, branch_id: str, cluster: Cluster) -> None:
        """Note that the lists were taken, unless the server goes on because others hold it."""
        branch = self._state.branches.get(branch_id)
        if branch is not None and branch.lists_stale and not cluster.running:
            branch.lists_stale = False
            self._state.put(branch)

    async def take(self, branch_id: str, cluster: Cluster) -> bool:
        """Take over what the server has, and return whether that was possible.

        It is not while an operation changes it: then the state is ahead of the server.
        """
        branch = self._state.branches.get(branch_id)
        if branch is None or not cluster.running:
            return False
        writer = self._newest_writer(branch)
        if _writing(writer):
            return False
        import psycopg

        try:
            async with asyncio.timeout(_SECONDS):
                roles, databases = await catalog.list_all(cluster)
        except (ClusterError, psycopg.Error, TimeoutError) as error:
            if cluster.running:
                reason = " ".join(str(error).split()) or "no answer"
                _log.warning("cannot list what branch %s has: %s", branch_id, reason)
            return False
        if self._newest_writer(branch) is not writer or branch_id not in self._state.branches:
            return False
        self._adopt(branch.id, roles, databases)
        return True

    async def adopt(self, owner_id: str, cluster: Cluster) -> None:
        """Take over what the server of a branch or a snapshot has, whose making is under way; it must run."""
        self._adopt(owner_id, *await catalog.list_all(cluster))

    def _newest_writer(self, branch: Branch) -> Operation | None:
        # One at a time: the API answers 423 to a change while another is under way.
        for operation in reversed(self._state.operations.of(branch.project_id)):
            if operation.branch_id == branch.id and operation.task.get("kind") in _WRITERS:
                return operation
        return None

    def _adopt(self, owner_id: str, roles: dict[str, bool], databases: list[FoundDatabase]) -> None:
        state, now = self._state, self._clock.now()
        known_roles = {role.name: role for role in state.roles.of(owner_id)}
        known_databases = {each.name: each for each in state.databases.of(owner_id)}
        owners = {each.name: each.owner for each in databases}
        with state.change() as change:
            change.delete(*(role for name, role in known_roles.items() if name not in roles))
            for name, can_login in roles.items():
                if name not in known_roles:
                    change.put(Role(owner_id, name, None, now, now, no_login=not can_login))
            change.delete(*(each for name, each in known_databases.items() if name not in owners))
            for name, owner in owners.items():
                known = known_databases.get(name)
                if known is None:
                    change.put(Database(owner_id, state.next_id(Database), name, owner, now, now))
                elif known.owner_name != owner:
                    known.owner_name = owner
                    known.updated_at = now
                    change.put(known)


def _writing(writer: Operation | None) -> bool:
    return writer is not None and writer.status in UNFINISHED
