"""The cloud behind the API: its state, its operations, and the servers that they act on."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from localcloud.clock import Clock, parse, render
from localcloud.neon import errors
from localcloud.neon.computes import Compute
from localcloud.neon.lists import Lists
from localcloud.neon.operations import Operations
from localcloud.neon.plans import PLANS
from localcloud.neon.rate import Rate
from localcloud.postgres import catalog
from localcloud.postgres.cluster import Cluster
from localcloud.postgres.front import AddressError, bind, claim

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Awaitable, Callable, Iterable

    from localcloud.faults.standing import Faults
    from localcloud.postgres.installation import Installation
    from localcloud.records import Branch, Endpoint, Operation, Project
    from localcloud.settings import Settings
    from localcloud.state import State

RECOVERY = timedelta(days=7)
"""How long a deleted project or branch can be recovered."""

KEPT_DELETED = 20
"""How many deleted projects, and deleted branches, are kept at most."""


class Cloud:
    """One account with one organization, as Neon would keep it."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        installation: Installation,
        tls: ssl.SSLContext,
        faults: Faults,
    ) -> None:
        self.settings = settings
        self.state = state
        self.plan = PLANS[settings.plan]
        self.clock = Clock()
        self.operations = Operations(state, self.clock, settings.pace, self._perform)
        self.lists = Lists(state, self.clock)
        self.rate = Rate(settings.neon_rate_limit, settings.neon_retry_after)
        self._installation = installation
        self._tls = tls
        self._faults = faults
        self._clusters: dict[str, Cluster] = {}
        self._computes: dict[str, Compute] = {}
        self._claimed: dict[str, list[socket.socket]] = {}
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

    # Life.

    async def open(self) -> None:
        """Listen on the endpoints' addresses and carry on with unfinished operations. Raises AddressError."""
        with self.state.change() as change:
            for endpoint in self.state.endpoints.values():
                if endpoint.current_state == "active":
                    # Its server ended with the local cloud.
                    endpoint.current_state = "idle"
                    endpoint.suspended_at = self.clock.now()
                    change.put(endpoint)
        await self.purge()
        for endpoint in self.state.endpoints.values():
            if self._reachable(endpoint):
                self.open_endpoint(endpoint)
        self.operations.resume()

    async def close(self) -> None:
        """Stop everything, in an order in which nothing starts again."""
        await self.operations.close()
        await asyncio.gather(*(compute.close() for compute in self._computes.values()))
        await asyncio.gather(*(cluster.stop() for cluster in self._clusters.values()))

    async def purge(self) -> None:
        """Remove for good what was deleted longer ago than it can be recovered, and the oldest of too much.

        A branch holds 30 MB and more, so of many that were made and deleted only the last can be recovered.
        """
        for project in _beyond_recovery(self.state.projects.values()):
            await self.purge_project(project)
        for branch in _beyond_recovery(self.state.branches.values()):
            await self.purge_branch(branch)

    async def purge_project(self, project: Project) -> None:
        """Remove a project and all that belongs to it."""
        for branch in self.state.branches.of(project.id):
            await self.purge_branch(branch)
        with self.state.change() as change:
            change.delete(*self.state.operations.of(project.id))
            change.delete(*self.state.permissions.of(project.id))
            change.delete(project)

    async def purge_branch(self, branch: Branch) -> None:
        """Remove a branch, its endpoints and its data directory."""
        endpoints = self.state.endpoints.of(branch.id)
        for endpoint in endpoints:
            await self.close_endpoint(endpoint)
        await self.cluster(branch.id).destroy()
        self._clusters.pop(branch.id, None)
        with self.state.change() as change:
            change.delete(*endpoints)
            change.delete(*self.state.roles.of(branch.id))
            change.delete(*self.state.databases.of(branch.id))
            change.delete(branch)

    # Look-ups.

    def project(self, project_id: str) -> Project:
        """Return a project that is not deleted. Raises ApiError 404."""
        project = self.state.projects.get(project_id)
        if project is None or project.deleted_at:
            raise errors.not_found("project")
        return project

    def branches(self, project_id: str) -> list[Branch]:
        """Return a project's branches that are not deleted, oldest first."""
        return [each for each in self.state.branches.of(project_id) if not each.deleted_at]

    def branch(self, project_id: str, branch_id: str) -> Branch:
        """Return a branch that is not deleted, nor its project. Raises ApiError 404."""
        self.project(project_id)
        branch = self.state.branches.get(branch_id)
        if branch is None or branch.project_id != project_id or branch.deleted_at:
            raise errors.not_found("branch")
        return branch

    def default_branch(self, project_id: str) -> Branch:
        """Return the project's default branch."""
        return next(each for each in self.branches(project_id) if each.default)

    def endpoints(self, project_id: str) -> list[Endpoint]:
        """Return a project's endpoints, oldest first."""
        found = [
            endpoint
            for branch in self.branches(project_id)
            for endpoint in self.state.endpoints.of(branch.id)
        ]
        return sorted(found, key=lambda endpoint: endpoint.created_at)

    def endpoint(self, project_id: str, endpoint_id: str) -> Endpoint:
        """Return an endpoint of a branch that is not deleted. Raises ApiError 404."""
        self.project(project_id)
        endpoint = self.state.endpoints.get(endpoint_id)
        if (
            endpoint is None
            or endpoint.project_id != project_id
            or self.state.branches[endpoint.branch_id].deleted_at
        ):
            raise errors.not_found("endpoint")
        return endpoint

    def cluster(self, branch_id: str) -> Cluster:
        """Return the data directory of a branch, which may not exist yet."""
        if branch_id not in self._clusters:
            self._clusters[branch_id] = Cluster(
                self._installation, branch_id, self.settings.superuser_password
            )
        return self._clusters[branch_id]

    def compute(self, endpoint_id: str) -> Compute:
        """Return what stands behind an endpoint's addresses."""
        return self._computes[endpoint_id]

    async def sync(self, branch: Branch) -> None:
        """Take over roles and databases that were made or dropped over SQL; see :class:`localcloud.neon.lists.Lists`."""
        await self.lists.sync(branch, self.cluster(branch.id))

    # Endpoints' addresses.

    def claim_addresses(self, *endpoints: Endpoint) -> None:
        """Give endpoints to be their direct and pooled addresses, and listen on them. Raises AddressError.

        The last step before the endpoints are recorded, so that a refused request claims nothing.
        """
        taken = {
            address
            for endpoint in self.state.endpoints.values()
            for address in (endpoint.host, endpoint.pooler_host)
        }
        try:
            for endpoint in endpoints:
                sockets = self._claimed.setdefault(endpoint.id, [])
                for name in ("host", "pooler_host"):
                    address, listener = claim(self.settings.seed, f"{endpoint.id}/{name}", taken)
                    sockets.append(listener)
                    taken.add(address)
                    setattr(endpoint, name, address)
        except AddressError:
            for endpoint in endpoints:
                for listener in self._claimed.pop(endpoint.id, []):
                    listener.close()
            raise

    def open_endpoint(self, endpoint: Endpoint) -> None:
        """Accept connections on an endpoint's addresses. Raises AddressError if they were not claimed just now."""
        sockets = self._claimed.pop(endpoint.id, [])
        try:
            for address in (endpoint.host, endpoint.pooler_host)[len(sockets) :]:
                sockets.append(bind(address))
        except AddressError:
            for listener in sockets:
                listener.close()
            raise
        cluster = self.cluster(endpoint.branch_id)
        project = self.state.projects[endpoint.project_id]
        cluster.logical_replication = bool(project.settings.get("enable_logical_replication"))
        compute = Compute(
            endpoint,
            cluster,
            self.state,
            self.clock,
            self.operations,
            self.lists,
            self._faults,
        )
        compute.open(sockets, self._tls)
        self._computes[endpoint.id] = compute

    async def reopen_endpoints(self, endpoints: list[Endpoint]) -> None:
        """Listen again for endpoints that are recovered: on all their addresses, or none. Raises AddressError."""
        try:
            for endpoint in endpoints:
                self.open_endpoint(endpoint)
        except AddressError:
            for endpoint in endpoints:
                await self.close_endpoint(endpoint)
            raise

    async def close_endpoint(self, endpoint: Endpoint) -> None:
        """Stop listening on an endpoint's addresses and let its server go."""
        compute = self._computes.pop(endpoint.id, None)
        if compute is not None:
            await compute.close()

    def _reachable(self, endpoint: Endpoint) -> bool:
        return not (
            self.state.branches[endpoint.branch_id].deleted_at
            or self.state.projects[endpoint.project_id].deleted_at
        )

    # Keys.

    def key_sha256(self, key: str) -> str:
        """Return what is kept of an API key."""
        return hashlib.sha256(key.encode()).hexdigest()

    # Tasks behind operations. Each may run a second time after a restart.

    async def _perform(self, operation: Operation) -> None:
        await self._tasks[operation.task["kind"]](operation)

    async def _create_timeline(self, operation: Operation) -> None:
        branch = self.state.branches[str(operation.branch_id)]
        cluster = self.cluster(branch.id)
        await cluster.create()
        async with cluster.held():
            for role in self.state.roles.of(branch.id):
                await catalog.create_role(cluster, role.name, role.password)
            for database in self.state.databases.of(branch.id):
                await catalog.create_database(cluster, database.name, database.owner_name)
        self._mark_ready(branch)

    async def _create_branch(self, operation: Operation) -> None:
        branch = self.state.branches[str(operation.branch_id)]
        cluster = self.cluster(branch.id)
        await cluster.create_from(self.cluster(operation.task["parent_id"]))
        if operation.task["new_passwords"]:
            async with cluster.held():
                for role in self.state.roles.of(branch.id):
                    if role.password is not None:
                        await catalog.set_password(cluster, role.name, role.password)
        self._mark_ready(branch)

    def _mark_ready(self, branch: Branch) -> None:
        now = self.clock.now()
        branch.current_state = "ready"
        branch.pending_state = None
        branch.state_changed_at = now
        branch.updated_at = now
        self.state.put(branch)

    async def _delete_branch(self, operation: Operation) -> None:
        branch = self.state.branches.get(str(operation.branch_id))
        if branch is None:
            return
        if operation.task["hard"]:
            await self.purge_branch(branch)
            return
        await self.cluster(branch.id).stop()
        await self.purge()

    async def _start(self, operation: Operation) -> None:
        await self.compute(str(operation.endpoint_id)).start()

    async def _suspend(self, operation: Operation) -> None:
        compute = self._computes.get(str(operation.endpoint_id))
        if compute is not None:
            await compute.suspend()

    async def _restart(self, operation: Operation) -> None:
        if operation.endpoint_id in self._computes:
            await self.compute(operation.endpoint_id).restart_if_running()

    async def _create_role(self, operation: Operation) -> None:
        branch_id, name = str(operation.branch_id), operation.task["role"]
        role = self.state.roles[f"{branch_id}/{name}"]
        cluster = self.cluster(branch_id)
        async with cluster.held():
            await catalog.create_role(cluster, name, role.password)

    async def _set_password(self, operation: Operation) -> None:
        branch_id, name = str(operation.branch_id), operation.task["role"]
        role = self.state.roles[f"{branch_id}/{name}"]
        cluster = self.cluster(branch_id)
        if role.password is not None:
            async with cluster.held():
                await catalog.set_password(cluster, name, role.password)

    async def _drop_role(self, operation: Operation) -> None:
        cluster = self.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.drop_role(cluster, operation.task["role"])

    async def _create_database(self, operation: Operation) -> None:
        cluster = self.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.create_database(
                cluster, operation.task["database"], operation.task["owner"]
            )

    async def _alter_database(self, operation: Operation) -> None:
        task = operation.task
        cluster = self.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.alter_database(cluster, task["database"], task["new_name"], task["owner"])

    async def _drop_database(self, operation: Operation) -> None:
        cluster = self.cluster(str(operation.branch_id))
        async with cluster.held():
            await catalog.drop_database(cluster, operation.task["database"])

    async def _nothing(self, operation: Operation) -> None:
        """Neon's storage settings have no counterpart here; the operation only takes its time."""


D = TypeVar("D", "Project", "Branch")


def _beyond_recovery(records: Iterable[D]) -> list[D]:
    oldest = render(datetime.now(UTC) - RECOVERY)
    deleted = sorted(
        ((record.deleted_at, record) for record in records if record.deleted_at),
        key=itemgetter(0),
        reverse=True,
    )
    return [
        record
        for number, (deleted_at, record) in enumerate(deleted)
        if number >= KEPT_DELETED or deleted_at < oldest
    ]


def recoverable_until(deleted_at: str) -> str:
    """Return until when something deleted at a time can be recovered."""
    return render(parse(deleted_at) + RECOVERY)
