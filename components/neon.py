"""Neon as the place of an app's database: a project with its compute and owner role, and branches of it."""

from collections.abc import Iterable, Sequence
from typing import get_args

import pulumi
import pulumi_neon as neon
import pulumi_random as random

from components.place import Copy, Place
from components.settings import Settings
from providers.adoption import Adoption
from providers.neon import Expiry, Protection, moment_text
from tenantry.registry import App, tokens
from tenantry.registry.days import end_of
from tenantry.registry.models import Branch, MaintenanceWindow, Quota, Weekday

_WEEKDAYS = get_args(Weekday)


def connect(settings: Settings) -> neon.Provider:
    """Declare the connection to Neon's API."""
    return neon.Provider("neon", api_key=settings.neon_api_key)


def account(settings: Settings) -> str | None:
    """Return the organization that pays."""
    return settings.neon_org_id


class AppProject(Place):
    """One Neon project, whose own role is the app's owner."""

    def __init__(
        self,
        name: str,
        app: App,
        *,
        cloud: pulumi.ProviderResource,
        account: str | None,
        protect: bool,
        retain: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the project.

        :param account: the Neon organization that pays; None only where the API key belongs to one organization
        """
        super().__init__(tokens.APP_PROJECT, name, None, opts)
        database = app.database
        self.owner = app.names.owner_role
        self._name_in_neon = app.names.project
        self._place = random.RandomId(
            f"{name}/place",
            byte_length=4,
            # What Neon cannot change about a project. See docs/decisions, "A project is replaced through its place".
            keepers={
                "region": app.region,
                "postgres_version": str(database.postgres_version),
                "organization": account or "",
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                delete_before_replace=True,
                # A replacement begins here, and the engine must have loaded by then what deletes a project.
                depends_on=[cloud],
            ),
        )
        first = [self._place, *self._adoption(name, app, account or "")]
        self.project = neon.Project(
            name,
            name=app.names.project,
            org_id=account,
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
            # None says nothing of a setting: the project keeps what it has.
            block_public_connections=_switch(database.block_public_connections),
            enable_logical_replication="yes" if database.logical_replication else None,
            maintenance_window=_window(database.maintenance_window),
            quota=_quota(database.quota),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                retain_on_delete=retain,
                depends_on=first,
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
        self.register_outputs({})

    def _adoption(self, name: str, app: App, account: str) -> list[pulumi.Resource]:
        """Declare the take-over of the project that is the app's from then on; without one, nothing."""
        if app.adopt is None:
            return []
        return [
            Adoption(
                f"{name}/adoption",
                {
                    "target": app.id,
                    "project": app.adopt.project,
                    "name": app.names.project,
                    "owner": self.owner,
                    "organization": account,
                    "region": app.region,
                    "postgresVersion": app.database.postgres_version,
                    "logicalReplication": app.database.logical_replication,
                },
                pulumi.ResourceOptions(parent=self),
            )
        ]

    def inside(self, parent: pulumi.Resource, *, protect: bool = False) -> pulumi.ResourceOptions:
        """Give the options of what lives inside the project."""
        return pulumi.ResourceOptions(
            parent=parent,
            protect=protect,
            deleted_with=self.project,
            replace_with=[self._place],
            # The old one goes first: both have one name, so its deletion would take the new one with it.
            delete_before_replace=True,
        )

    def branch(
        self,
        name: str,
        app: App,
        *,
        branch: Branch,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> "AppBranch":
        """Declare an extra branch."""
        return AppBranch(name, app, branch=branch, project=self, protect=protect, opts=opts)

    def refuse_deletion(self, name: str, *, after: Sequence[pulumi.Resource]) -> None:
        """Protect the main branch, with which Neon keeps the project.

        It comes last: Neon gives what is branched off a protected branch passwords of its own.
        """
        main = {"project": self.id, "branch": self.project.default_branch_id}
        last = pulumi.ResourceOptions(depends_on=after)
        options = pulumi.ResourceOptions.merge(self.inside(self), last)
        Protection(name, {**main, "protected": True}, options)

    def parts(self) -> Iterable[tuple[str, str, pulumi.Input[str]]]:
        """Name the project and its main branch."""
        return (
            ("branch", "main", self.project.default_branch_id),
            ("project", self._name_in_neon, self.id),
        )


class AppBranch(Copy):
    """A copy of the main branch as it was when the branch was made: data, roles and passwords."""

    def __init__(
        self,
        name: str,
        app: App,
        *,
        branch: Branch,
        project: AppProject,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the branch.

        :param branch: its name in Neon, unique within the project, and whether Neon is to refuse its deletion
        :param protect: the engine refuses to delete or replace the branch and its compute; never one that expires,
            which Neon deletes itself
        """
        super().__init__(tokens.APP_BRANCH, name, None, opts)
        protect = protect and branch.expires is None
        self.branch = neon.Branch(
            name,
            name=branch.name,
            project_id=project.id,
            parent_id=project.project.default_branch_id,
            protected="yes" if branch.protected else "no",
            opts=project.inside(self, protect=protect),
        )
        compute = app.database.compute
        self.endpoint = neon.Endpoint(
            name,
            project_id=project.id,
            branch_id=self.branch.id,
            type="read_write",
            autoscaling_limit_min_cu=compute.min_cu,
            autoscaling_limit_max_cu=compute.max_cu,
            suspend_timeout_seconds=compute.suspend_after,
            # A branch has one read-write compute: the new one has no room before the old one is gone.
            opts=project.inside(self, protect=protect),
        )
        if branch.expires:
            Expiry(
                name,
                {
                    "project": project.id,
                    "branch": self.branch.id,
                    "expiresAt": moment_text(end_of(branch.expires)),
                },
                project.inside(self),
            )
        self.id = self.branch.id
        self.host = self.endpoint.host
        self.register_outputs({})


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
    # 0 means no limit. It must be sent: otherwise a limit that left the registry would stay.
    return neon.ProjectQuotaArgs(
        active_time_seconds=quota.active_time or 0,
        compute_time_seconds=quota.compute_time or 0,
        written_data_bytes=quota.written_data or 0,
        data_transfer_bytes=quota.data_transfer or 0,
        logical_size_bytes=quota.logical_size or 0,
    )


declare = AppProject
