"""Everything that one app in the registry consists of."""

from collections.abc import Sequence

import pulumi
import pulumi_postgresql as postgresql

from components.aliases import aliasing
from components.catalog import AppRecords
from components.database import AppDatabase
from components.graph import AppGraph
from components.logins import AppLogins
from components.place import OWNER_CONNECTIONS, provider
from components.settings import Aura
from components.urls import connection_url
from providers.catalog import Catalog
from tenantry.registry import App, tokens
from tenantry.registry.days import is_over
from tenantry.registry.declared import declared
from tenantry.registry.graphs import graph_place
from tenantry.registry.schemas import SchemaPlan

CONNECT_SECONDS = 60
"""How long a connection may take; it wakes a suspended compute."""


class TenantApp(pulumi.ComponentResource):
    """An app's project, roles, database, branches and graphs, down to what it connects with."""

    def __init__(
        self,
        app: App,
        *,
        cloud: pulumi.ProviderResource,
        plan: SchemaPlan | None = None,
        catalog: Catalog | None = None,
        aura: Aura | None = None,
        org_id: str | None = None,
        known_as: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the app.

        :param cloud: the connection to the API of its database's provider
        :param plan: the revisions that the app's schema is to have; None where it has no `schema`
        :param catalog: the tables of the control plane; None where there is none
        :param aura: where its graphs are made; None only where it has none
        :param org_id: the provider's account that pays for the project, such as a Neon organization
        :param known_as: ids under which the state may still have it, or parts of it
        """
        through_cloud = pulumi.ResourceOptions(
            providers=[cloud], transformations=aliasing(app.id, known_as)
        )
        super().__init__(
            tokens.TENANT_APP, app.id, None, pulumi.ResourceOptions.merge(opts, through_cloud)
        )
        self.app = app
        self._plan = plan
        name = app.id
        protect = app.deletion == "protect"
        inside = pulumi.ResourceOptions(parent=self)
        self.project = provider(app.database.provider).declare(
            name,
            app,
            cloud=cloud,
            account=org_id,
            protect=protect,
            retain=app.deletion == "retain",
            opts=inside,
        )
        self.owner = postgresql.Provider(
            name,
            host=self.project.host,
            port=5432,
            database=self.project.maintenance_database,
            username=self.project.owner,
            password=self.project.owner_password,
            sslmode="require",
            superuser=False,
            max_connections=OWNER_CONNECTIONS,
            # Given, because the plugin would take it from the shell's PGCONNECT_TIMEOUT, and two shells would differ.
            connect_timeout=CONNECT_SECONDS,
            expected_version=str(app.database.postgres_version),
            opts=inside,
        )
        as_owner = pulumi.ResourceOptions(parent=self, providers={"postgresql": self.owner})
        self.logins = AppLogins(name, app, project=self.project, protect=protect, opts=as_owner)
        self.database = AppDatabase(
            name,
            app,
            project=self.project,
            logins=self.logins,
            plan=plan,
            protect=protect,
            opts=as_owner,
        )
        # A branch copies what is there when it is made: the logins, the database and its tables come first.
        self.branches = {
            branch.name: self.project.branch(
                f"{name}/{branch.name}",
                app,
                branch=branch,
                protect=protect,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.database]),
            )
            for branch in app.database.branches
            # One whose last day is over has been deleted by Neon, and the engine is to forget it.
            if not is_over(branch.expires)
        }
        if app.database.protected:
            self.project.refuse_deletion(name, after=[self.database, *self.branches.values()])
        self.records = AppRecords(
            name,
            app,
            catalog=catalog,
            project=self.project,
            branches={branch: each.id for branch, each in self.branches.items()},
            logins=self.logins,
            database=self.database,
            parent=self,
        )
        self.graphs = {}
        if aura is not None:
            for graph in app.graphs:
                self.graphs[graph.id] = AppGraph(
                    graph,
                    project=aura.project,
                    adopted=aura.adopted.get(graph.id),
                    protect=protect,
                    retain=app.deletion == "retain",
                    records=self.records,
                    opts=inside,
                )
        # What the next run needs in order to judge what it would destroy or break.
        self.register_outputs(
            {
                "app": app.id,
                **({"formerly": list(app.formerly)} if app.formerly else {}),
                **({"row": app.row} if app.row else {}),
                # In one text: a mapping's missing values would not be kept.
                "declared": declared(app),
                "deletion": app.deletion,
                "organization": org_id or "",
                "region": app.region,
                "postgresVersion": app.database.postgres_version,
                "generation": app.database.credentials.generation,
                "branches": list(self.branches),
                "apiKeys": {key.name: key.generation for key in app.api_keys},
                "revokedKeys": [name for name, live in self.records.keys.items() if not live],
                "namespace": app.namespace,
                "catalog": catalog is not None,
                "graphs": {
                    each.id: graph_place(each.graph, aura.project)
                    for each in app.graphs
                    if aura is not None
                },
            }
        )

    def summary(self) -> dict[str, pulumi.Input[object]]:
        """Tell where the app lives; nothing in it is secret."""
        return {
            "project": self.project.id,
            "region": self.app.region,
            "host": self.project.host,
            "database": self.database.database.name,
            "login": self.logins.current.role.name,
            # The next run judges by them which login and which keys are in use.
            "generation": self.app.database.credentials.generation,
            "keyGenerations": {key.name: key.generation for key in self.app.api_keys},
            # From the program, not from the migration's output: so a preview shows both revisions.
            **({"revision": self._plan.target} if self._plan else {}),
            "services": self.records.services,
            "apiKeys": {
                key: [int(generation) for generation in generations]
                for key, generations in self.records.keys.items()
            },
            "branches": {
                name: {"id": branch.id, "host": branch.host}
                for name, branch in self.branches.items()
            },
            **({"graphs": self._graph_facts()} if self.graphs else {}),
        }

    def _graph_facts(self) -> dict[str, dict[str, pulumi.Input[str]]]:
        return {
            name: {"instance": graph.id, "status": graph.status}
            for name, graph in self.graphs.items()
        }

    def urls(self) -> dict[str, pulumi.Output[str]]:
        """Give the app's connection URLs: `direct` and `pooled`, both secret."""
        return {
            "direct": self._url(self.project.host),
            "pooled": self._url(self.project.pooled_host),
        }

    def api_keys(self) -> dict[str, dict[str, pulumi.Output[str]]]:
        """Give the app's valid API keys by name and generation, each a secret."""
        return self.records.keys

    def _url(self, host: pulumi.Output[str]) -> pulumi.Output[str]:
        login = self.logins.current
        url = pulumi.Output.all(
            host=host,
            user=login.role.name,
            password=login.password,
            database=self.database.database.name,
        ).apply(lambda v: connection_url(scheme=self.app.database.url_scheme, **v))
        return pulumi.Output.secret(url)
