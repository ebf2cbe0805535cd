"""An extra branch of an app's project, with a compute to connect to."""

import pulumi
import pulumi_neon as neon

from components.project import AppProject
from tenantry.registry import App, tokens
from tenantry.registry.models import Branch


class AppBranch(pulumi.ComponentResource):
    """A copy of the main branch as it was when the branch was made: data, roles and passwords."""

    id: pulumi.Output[str]
    host: pulumi.Output[str]

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
        :param protect: the engine refuses to delete or replace the branch and its compute
        """
        super().__init__(tokens.APP_BRANCH, name, None, opts)
        self.branch = neon.Branch(
            name,
            name=branch.name,
            project_id=project.id,
            parent_id=project.default_branch_id,
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
        self.id = self.branch.id
        self.host = self.endpoint.host
        self.register_outputs({})
