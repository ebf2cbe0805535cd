"""The Postgres database of the control plane: one more server behind the front, of no project, unknown to the API."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from localcloud.neon.plans import DEFAULT_SUSPEND_SECONDS
from localcloud.postgres import catalog
from localcloud.postgres.addresses import bind, claim
from localcloud.postgres.cluster import Cluster, ClusterError, CommandError
from localcloud.postgres.on_demand import OnDemand
from localcloud.settings import CATALOG_DATABASE, CATALOG_ROLE

if TYPE_CHECKING:
    from localcloud.faults.standing import Faults
    from localcloud.postgres.certificates import Authority
    from localcloud.postgres.installation import Installation
    from localcloud.settings import Settings

CLUSTER = "control-plane"
"""The name of its data directory; a branch's begins with ``br-``."""


class ControlPlane(OnDemand):
    """A database with an owner of its own. Nothing of it is made before the first connection."""

    def __init__(self, settings: Settings, installation: Installation, faults: Faults) -> None:
        cluster = Cluster(installation, CLUSTER, settings.superuser_password)
        super().__init__(CLUSTER, cluster, faults)
        self._settings = settings
        self._is_made = False

    def listen(self, authority: Authority) -> None:
        """Accept connections, on the address in ``settings`` or else on a new one.

        A new address and its password are left in ``settings``, for the caller to save. Raises AddressError.
        """
        settings = self._settings
        if settings.catalog_host:
            listener = bind(settings.catalog_host)
        else:
            settings.catalog_host, listener = claim(settings.seed, CLUSTER, ())
            settings.catalog_password = secrets.token_hex(24)
        self.open([listener], authority)

    def _timeout(self) -> float | None:
        return DEFAULT_SUSPEND_SECONDS

    async def _acquire(self) -> None:
        try:
            await self._cluster.create()
        except CommandError as error:
            raise ClusterError(f"the control plane's database cannot be made: {error}") from error
        await super()._acquire()
        if not self._is_made:
            try:
                await self._make()
            except BaseException:
                await self._cluster.release()
                raise
            self._is_made = True

    async def _make(self) -> None:
        # Once in the life of a local cloud, whatever is there: a death half-way is made good by the next one.
        import psycopg

        try:
            await catalog.create_role(self._cluster, CATALOG_ROLE, self._settings.catalog_password)
            await catalog.create_database(self._cluster, CATALOG_DATABASE, CATALOG_ROLE)
        except psycopg.Error as error:
            raise ClusterError(f"the control plane's database cannot be made: {error}") from error
