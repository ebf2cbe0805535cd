"""What operations do. Each task may run a second time, after a restart of the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.postgres import catalog
from localcloud.postgres.history import Moment
from localcloud.postgres.masking import mask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from localcloud.neon.cloud import Cloud
    from localcloud.postgres.cluster import Cluster
    from localcloud.records import Branch, Json, Operation


class Tasks:
    """The work behind operations, by the ``kind`` of their task."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tasks: dict[str, Callable[[Operation], Awaitable[None]]] = {
            "create_timeline": self._create_timeline,
            "create_branch": self._create_branch,
            "restore_branch": self._restore_branch,
            "finalize_restore": self._finalize_restore,
            "create_snapshot": self._create_snapshot,
            "anonymize": self._anonymize,
            "delete_snapshot": self._delete_snapshot,
            "delete_branch": self._delete_branch,
            "start": self._start,
            "suspend": self._suspend,
            "restart": self._restart,
            "create_role": self._create_role,
            "set_password": self._set_password,
            "drop_role": self._drop_role,
            "create_database": self._create_database,
            "alter_database": self._alter_database,
            "drop_database": self._drop_database,
            "nothing": self._nothing,
        }

    async def perform(self, operation: Operation) -> None:
        """Do an operation's work. Raises whatever made it fail."""
        await self._tasks[operation.task["kind"]](operation)

    async def _create_timeline(self, operation: Operation) -> None:
        branch = self._cloud.state.branches[str(operation.branch_id)]
        cluster = self._cloud.cluster(branch.id)
        await cluster.create()
        async with cluster.held():
            for role in self._cloud.state.roles.of(branch.id):
                await catalog.create_role(cluster, role.name, role.password)
            for database in self._cloud.state.databases.of(branch.id):
                await catalog.create_database(cluster, database.name, database.owner_name)
            branch.logical_size, branch.wal_position = await catalog.measure(cluster)
        self._mark_ready(branch)

    async def _create_branch(self, operation: Operation) -> None:
        branch = self._cloud.state.branches[str(operation.branch_id)]
        task = operation.task
        cluster = self._cloud.cluster(branch.id)
        moment = _moment(task)
        await _copy(cluster, self._cloud.cluster(task["parent_id"]), moment)
        await self._settle_logins(branch.id, cluster, moment, anew=task["new_passwords"])
        self._mark_ready(branch)

    async def _restore_branch(self, operation: Operation) -> None:
        """Put another data directory in the place of a branch's; the old one becomes another branch's, or goes."""
        task, state = operation.task, self._cloud.state
        branch = state.branches[str(operation.branch_id)]
        target, old = self._cloud.cluster(branch.id), self._cloud.cluster(task["old_id"])
        draft = self._cloud.cluster(task["draft_id"])
        draft.options, draft.retention_seconds = target.options, target.retention_seconds
        moment = _moment(task)
        if old.history.bases and not old.exists:
            await target.move(old)  # which an end of the local cloud had cut off
        if not old.exists:
            await _copy(draft, self._cloud.cluster(task["source_id"]), moment)
            await target.move(old)
        elif not target.exists:
            source = task["source_id"]
            await _copy(draft, old if source == branch.id else self._cloud.cluster(source), moment)
        await draft.move(target)
        if old.name not in state.branches:
            await self._cloud.discard(old)
        await self._settle_logins(branch.id, target, moment, anew=True)
        branch.history_from = self._cloud.clock.now()
        self._mark_ready(branch)
        if preserved := state.branches.get(old.name):
            self._mark_ready(preserved)

    async def _create_snapshot(self, operation: Operation) -> None:
        snapshot = self._cloud.state.snapshots.get(operation.task["snapshot_id"])
        if snapshot is None:
            return
        cluster = self._cloud.cluster(snapshot.id)
        moment = _moment(operation.task)
        await _copy(cluster, self._cloud.cluster(snapshot.source_branch_id), moment)
        async with cluster.held():
            if moment:
                await self._cloud.lists.adopt(snapshot.id, cluster)
            snapshot.full_size, _written = await catalog.measure(cluster)
        self._cloud.state.put(snapshot)

    async def _anonymize(self, operation: Operation) -> None:
        record = self._cloud.state.masking[str(operation.branch_id)]
        cluster = self._cloud.cluster(record.branch_id)
        try:
            async with cluster.held():
                await mask(cluster, record.rules)
        except BaseException as error:
            record.state = "error"
            record.status_message = " ".join(str(error).split())
            record.failed_at = record.updated_at = self._cloud.clock.now()
            self._cloud.state.put(record)
            raise
        record.state, record.status_message, record.failed_at = "anonymized", None, None
        record.updated_at = record.last_run["completed_at"] = self._cloud.clock.now()
        record.last_run["masked_columns"] = len(record.rules)
        self._cloud.state.put(record)

    async def _delete_snapshot(self, operation: Operation) -> None:
        await self._cloud.discard(self._cloud.cluster(operation.task["snapshot_id"]))

    async def _finalize_restore(self, operation: Operation) -> None:
        """Have a branch that came from a snapshot take over name, rank and computes of the one that it replaces."""
        restored = self._cloud.state.branches[str(operation.branch_id)]
        replaced = self._cloud.state.branches[operation.task["replaced_id"]]
        if restored.restore_status == "finalized":
            return
        endpoints = self._cloud.state.endpoints.of(replaced.id)
        for endpoint in endpoints:
            await self._cloud.close_endpoint(endpoint)
        now = self._cloud.clock.now()
        restored.name, replaced.name = replaced.name, operation.task["old_name"]
        restored.default, replaced.default = replaced.default, False
        restored.protected, replaced.protected = replaced.protected, False
        restored.restore_status = "finalized"
        restored.updated_at = replaced.updated_at = now
        with self._cloud.state.change() as change:
            change.put(restored, replaced)
            change.delete(*endpoints)
            for endpoint in endpoints:
                endpoint.branch_id = restored.id
                endpoint.updated_at = now
                change.put(endpoint)
        for endpoint in endpoints:
            self._cloud.open_endpoint(endpoint)

    async def _settle_logins(
        self, branch_id: str, cluster: Cluster, moment: Moment | None, *, anew: bool = False
    ) -> None:
        """Have the state and a copy agree: about what there was at its moment, and about the passwords of now."""
        if not moment and not anew:
            return
        async with cluster.held():
            if moment:
                await self._cloud.lists.adopt(branch_id, cluster)
            for role in self._cloud.state.roles.of(branch_id):
                if role.password is not None:
                    await catalog.set_password(cluster, role.name, role.password)

    def _mark_ready(self, branch: Branch) -> None:
        now = self._cloud.clock.now()
        branch.current_state = "ready"
        branch.pending_state = None
        branch.state_changed_at = now
        branch.updated_at = now
        self._cloud.state.put(branch)

    async def _delete_branch(self, operation: Operation) -> None:
        branch = self._cloud.state.branches.get(str(operation.branch_id))
        if branch is None:
            return
        if operation.task["hard"]:
            await self._cloud.purge_branch(branch)
            return
        await self._cloud.cluster(branch.id).stop()
        await self._cloud.purge()

    async def _start(self, operation: Operation) -> None:
        await self._cloud.compute(str(operation.endpoint_id)).start()

    async def _suspend(self, operation: Operation) -> None:
        compute = self._cloud.open_compute(str(operation.endpoint_id))
        if compute is not None:
            await compute.suspend()

    async def _restart(self, operation: Operation) -> None:
        compute = self._cloud.open_compute(str(operation.endpoint_id))
        if compute is not None:
            self._cloud.cluster(str(operation.branch_id))  # takes up the project's settings
            await compute.restart_if_running()

    async def _create_role(self, operation: Operation) -> None:
        branch_id, name = str(operation.branch_id), operation.task["role"]
        role = self._cloud.state.roles[f"{branch_id}/{name}"]
        cluster = self._cloud.cluster(branch_id)
        async with cluster.held():
            await catalog.create_role(cluster, name, role.password)

    async def _set_password(self, operation: Operation) -> None:
        branch_id, name = str(operation.branch_id), operation.task["role"]
        role = self._cloud.state.roles[f"{branch_id}/{name}"]
        cluster = self._cloud.cluster(branch_id)
        if role.password is not None:
            async with cluster.held():
                await catalog.set_password(cluster, name, role.password)

    async def _drop_role(self, operation: Operation) -> None:
        cluster = self._cloud.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.drop_role(cluster, operation.task["role"])

    async def _create_database(self, operation: Operation) -> None:
        cluster = self._cloud.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.create_database(
                cluster, operation.task["database"], operation.task["owner"]
            )

    async def _alter_database(self, operation: Operation) -> None:
        task = operation.task
        cluster = self._cloud.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.alter_database(cluster, task["database"], task["new_name"], task["owner"])

    async def _drop_database(self, operation: Operation) -> None:
        cluster = self._cloud.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.drop_database(cluster, operation.task["database"])

    async def _nothing(self, operation: Operation) -> None:
        """Neon's storage settings have no counterpart here; the operation only takes its time."""


def _moment(task: Json) -> Moment | None:
    named = task.get("moment")
    return Moment(**named) if named else None


async def _copy(target: Cluster, source: Cluster, moment: Moment | None) -> None:
    if moment:
        await target.create_at(source, moment)
    else:
        await target.create_from(source)
