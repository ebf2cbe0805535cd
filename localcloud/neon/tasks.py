"""What operations do. Each task may run a second time, after a restart of the local cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.postgres import catalog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Operation


class Tasks:
    """The work behind operations, by the ``kind`` of their task."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tasks: dict[str, Callable[[Operation], Awaitable[None]]] = {
            "create_timeline": self._create_timeline,
            "create_branch": self._create_branch,
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
        self._mark_ready(branch)

    async def _create_branch(self, operation: Operation) -> None:
        branch = self._cloud.state.branches[str(operation.branch_id)]
        cluster = self._cloud.cluster(branch.id)
        await cluster.create_from(self._cloud.cluster(operation.task["parent_id"]))
        if operation.task["new_passwords"]:
            async with cluster.held():
                for role in self._cloud.state.roles.of(branch.id):
                    if role.password is not None:
                        await catalog.set_password(cluster, role.name, role.password)
        self._mark_ready(branch)

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
