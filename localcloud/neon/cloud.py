"""The cloud behind the API: its state, its operations, and the servers that they act on."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from localcloud.clock import Clock, parse, render
from localcloud.neon import errors
from localcloud.neon.calendar import Calendar
from localcloud.neon.computes import Compute
from localcloud.neon.lists import Lists
from localcloud.neon.objects import ObjectStore
from localcloud.neon.operations import Operations
from localcloud.neon.plans import PLANS
from localcloud.neon.rate import Rate
from localcloud.neon.regions import domain_of
from localcloud.neon.tasks import Tasks
from localcloud.postgres.addresses import AddressError, bind, claim, resolve_below
from localcloud.postgres.cluster import Cluster
from localcloud.postgres.names import Names, pooled
from localcloud.postgres.template import template_folder

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from localcloud.faults.standing import Faults
    from localcloud.postgres.certificates import Authority
    from localcloud.postgres.installation import Installation
    from localcloud.records import Branch, Endpoint, Project, Snapshot
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
        authority: Authority,
        faults: Faults,
    ) -> None:
        self.settings = settings
        self.state = state
        self.plan = PLANS[settings.plan]
        self.clock = Clock()
        self.operations = Operations(state, self.clock, settings.pace, Tasks(self).perform)
        self.calendar = Calendar()
        self.objects = ObjectStore(installation.clusters / "objects")
        self.lists = Lists(state, self.clock)
        self.rate = Rate(settings.neon_rate_limit, settings.neon_retry_after)
        self._installation = installation
        self._authority = authority
        self._faults = faults
        self._clusters: dict[str, Cluster] = {}
        self._computes: dict[str, Compute] = {}
        self._claimed: dict[str, list[socket.socket]] = {}
        self._named = Names(authority)
        self._address_of_names: str | None = None

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
        await self._choose_hosts()
        await self.purge()
        for endpoint in self.state.endpoints.values():
            if self._reachable(endpoint):
                self.open_endpoint(endpoint)
        self.operations.resume()

    async def close(self) -> None:
        """Stop everything, in an order in which nothing starts again."""
        await self.calendar.close()
        await self.operations.close()
        await self._named.close()
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
        for snapshot in self.state.snapshots.of(project.id):
            await self.purge_snapshot(snapshot)
        with self.state.change() as change:
            change.delete(*self.state.belongings(project.id), project)

    async def purge_snapshot(self, snapshot: Snapshot) -> None:
        """Remove a snapshot and its data directory."""
        await self.discard(self.cluster(snapshot.id))
        with self.state.change() as change:
            change.delete(*self.state.belongings(snapshot.id), snapshot)

    async def purge_branch(self, branch: Branch) -> None:
        """Remove a branch, its endpoints and its data directory."""
        for endpoint in self.state.endpoints.of(branch.id):
            await self.close_endpoint(endpoint)
        await self.discard(self.cluster(branch.id))
        with self.state.change() as change:
            change.delete(*self.state.belongings(branch.id), branch)
        self.objects.keep({each.digest for each in self.state.objects.values()})

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
        cluster = self._clusters.get(branch_id)
        if cluster is None:
            cluster = Cluster(self._installation, branch_id, self.settings.superuser_password)
            self._clusters[branch_id] = cluster
        branch = self.state.branches.get(branch_id)
        if branch is not None:
            project = self.state.projects[branch.project_id]
            cluster.options = server_options(project)
            cluster.retention_seconds = project.history_retention_seconds
        return cluster

    async def discard(self, cluster: Cluster) -> None:
        """Remove a data directory that belongs to nothing any more."""
        await cluster.destroy()
        self._clusters.pop(cluster.name, None)

    def compute(self, endpoint_id: str) -> Compute:
        """Return what stands behind an endpoint's addresses."""
        return self._computes[endpoint_id]

    def open_compute(self, endpoint_id: str) -> Compute | None:
        """Return the same, or None once the endpoint is gone."""
        return self._computes.get(endpoint_id)

    @property
    def postgres_version(self) -> str:
        """The major version of PostgreSQL behind all branches, e.g. ``18``."""
        return (template_folder(self._installation) / "PG_VERSION").read_text().strip()

    async def sync(self, branch: Branch) -> None:
        """Take over roles and databases that were made or dropped over SQL (:class:`localcloud.neon.lists.Lists`)."""
        await self.lists.sync(branch, self.cluster(branch.id))

    # Endpoints' addresses.

    async def _choose_hosts(self) -> None:
        """Settle what hosts new endpoints get, and say so in the settings: names where all that they need is so."""
        domain = self.settings.domain
        self.settings.hosts = "addresses"
        if domain:
            try:
                address = await resolve_below(domain)
                self._named.listen(address)
            except AddressError as error:
                self.settings.hosts = f"addresses: {error}"
            else:
                self._address_of_names = address
                self.settings.hosts = f"names below {domain}, at {address}"

    def claim_addresses(self, *endpoints: Endpoint) -> None:
        """Give endpoints to be their direct and pooled hosts, and listen for them. Raises AddressError.

        The last step before the endpoints are recorded, so that a refused request claims nothing.
        """
        if self._address_of_names is not None:
            for endpoint in endpoints:
                below = domain_of(endpoint.region_id, self.settings.domain)
                endpoint.host = f"{endpoint.id}.{below}"
                endpoint.pooler_host = pooled(endpoint.host)
                endpoint.address = self._address_of_names
            return
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
        """Accept connections to an endpoint's hosts. Raises AddressError if they were not claimed just now."""
        sockets = self._claimed.pop(endpoint.id, [])
        hosts = (endpoint.host, endpoint.pooler_host)
        try:
            if endpoint.address:
                self._named.listen(endpoint.address)
            else:
                for address in hosts[len(sockets) :]:
                    sockets.append(bind(address))
        except AddressError:
            for listener in sockets:
                listener.close()
            raise
        cluster = self.cluster(endpoint.branch_id)
        compute = Compute(
            endpoint,
            cluster,
            self.state,
            self.clock,
            self.operations,
            self.lists,
            self._faults,
        )
        compute.open(sockets, self._authority, hosts if endpoint.address else ())
        if endpoint.address:
            self._named.add(endpoint.host, compute)
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
        self._named.remove(endpoint.host)
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


def server_options(project: Project) -> dict[str, str]:
    """Return the settings of PostgreSQL that follow from a project's."""
    libraries = project.settings.get("preload_libraries", {}).get("enabled_libraries", [])
    return {
        "wal_level": "logical" if project.settings.get("enable_logical_replication") else "replica",
        "shared_preload_libraries": ",".join(libraries),
    }


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
