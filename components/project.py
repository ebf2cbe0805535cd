"""The Neon project of an app: its region, its compute, its owner role."""

from typing import get_args

import pulumi
import pulumi_neon as neon
import pulumi_random as random

from tenantry.registry import App, tokens
from tenantry.registry.models import MaintenanceWindow, Quota, Weekday

_WEEKDAYS = get_args(Weekday)
OWNER_CONNECTIONS = 2
"""How many connections to one database provisioning holds at most; the plugin nests two transactions."""


class AppProject(pulumi.ComponentResource):
    """One Neon project, whose own role is the app's owner.

    The owner's password serves provisioning and migrations only; the app itself connects as one of its logins.
    """

    id: pulumi.Output[str]
    host: pulumi.Output[str]
    pooled_host: pulumi.Output[str]
    maintenance_database: pulumi.Output[str]
    owner: str
    owner_password: pulumi.Output[str]
    default_branch_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        app: App,
        *,
        cloud: neon.Provider,
        org_id: str | None,
        protect: bool,
        retain: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the project.

        :param cloud: the connection to Neon's API; `opts.providers` names it too
        :param org_id: the Neon organization that pays; None only where the API key belongs to one organization
        :param protect: the engine refuses to delete or replace the project
        :param retain: removing the app leaves the project in the cloud
        """
        super().__init__(tokens.APP_PROJECT, name, None, opts)
        database = app.database
        self.owner = app.names.owner_role
        self._place = random.RandomId(
            f"{name}/place",
            byte_length=4,
            # What Neon cannot change about a project. See docs/decisions, "A project is replaced through its place".
            keepers={
                "region": app.region,
                "postgres_version": str(database.postgres_version),
                "organization": org_id or "",
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                delete_before_replace=True,
                # A replacement begins here, and the engine must have loaded by then what deletes a project.
                depends_on=[cloud],
            ),
        )
        self.project = neon.Project(
            name,
            name=app.names.project,
            org_id=org_id,
            region_id=app.region,
            pg_version=database.postgres_version,
            history_retention_seconds=database.history_retention,
            store_password="yes",  # noqa: S106 a switch of that name
            branch=neon.ProjectBranchArgs(name="main", role_name=self.owner),
            default_endpoint_settings=neon.ProjectDefaultEndpointSettingsArgs(
                autoscaling_limit_min_cu=database.compute.min_cu,
                autoscaling_limit_max_cu=database.compute.max_cu,
                suspend_timeout_seconds=database.compute.suspend_after,
            ),
            # Sorted: another order in the registry is no change.
            allowed_ips=sorted(database.allowed_ips) or None,
            # None of these says nothing: then the project keeps what it has.
            block_public_connections=_switch(database.block_public_connections),
            enable_logical_replication="yes" if database.logical_replication else None,
            maintenance_window=_window(database.maintenance_window),
            quota=_quota(database.quota),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                retain_on_delete=retain,
                depends_on=[self._place],
                replace_with=[self._place],
                # The name marks the project as ours, so a successor would find its predecessor by it.
                delete_before_replace=True,
                # The provider derives the block anew on each read: a database or a role renamed by hand
                # would otherwise be planned as a replacement of the project with all its data.
                ignore_changes=["branch"],
            ),
        )
        self.id = self.project.id
        self.host = self.project.database_host
        self.pooled_host = self.project.database_host_pooler
        self.maintenance_database = self.project.database_name
        self.owner_password = self.project.database_password
        self.default_branch_id = self.project.default_branch_id
        self.register_outputs({})

    def inside(self, parent: pulumi.Resource, *, protect: bool = False) -> pulumi.ResourceOptions:
        """Give the options of what lives inside the project: it goes with it and is made anew with it."""
        return pulumi.ResourceOptions(
            parent=parent,
            protect=protect,
            deleted_with=self.project,
            replace_with=[self._place],
            # Of two with the same name, the deletion of the old one would take the new one with it.
            delete_before_replace=True,
        )


def _switch(wanted: bool | None) -> str | None:
    return None if wanted is None else "yes" if wanted else "no"


def _window(window: MaintenanceWindow | None) -> neon.ProjectMaintenanceWindowArgs | None:
    if window is None:
        return None
    return neon.ProjectMaintenanceWindowArgs(
        # From 1, Monday, to 7. Sorted: another order in the registry is no change.
        weekdays=sorted(_WEEKDAYS.index(day) + 1 for day in window.weekdays),
        start_time=window.start,
        end_time=window.end,
    )


def _quota(quota: Quota | None) -> neon.ProjectQuotaArgs | None:
    if quota is None:
        return None
    # 0 is no limit. It is said, or a limit that is taken out of the registry would stay.
    return neon.ProjectQuotaArgs(
        active_time_seconds=quota.active_time or 0,
        compute_time_seconds=quota.compute_time or 0,
        written_data_bytes=quota.written_data or 0,
        data_transfer_bytes=quota.data_transfer or 0,
        logical_size_bytes=quota.logical_size or 0,
    )
