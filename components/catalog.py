"""An app in the control plane: its row, its services, its API keys."""

import pulumi

from components.database import AppDatabase
from components.logins import AppLogins
from components.place import Place
from providers.api_keys import ApiKey
from providers.catalog import AppRecord, Catalog, GraphRecord, Services
from tenantry.catalog.keys import live_generations
from tenantry.registry import App
from tenantry.registry.days import end_of


class GraphRecords:
    """Writes the rows of an app's graphs beside that of the app, which this program or another one keeps."""

    whose: dict[str, pulumi.Input[str]]
    """What says in every row whose it is: namespace, app, and which catalog (empty where there is none)."""
    retries: str
    """How often a write of a row is tried."""

    def __init__(self, app: App, catalog: Catalog | None) -> None:
        """Declare nothing yet.

        :param catalog: the catalog's tables; None where no catalog is configured
        """
        self.whose = {
            "namespace": app.namespace,
            "app": app.id,
            "catalog": catalog.label if catalog else "",
        }
        self.retries = app.retries.services.text()
        self._app = app
        self._catalog = catalog
        self._after: list[pulumi.Resource] = [catalog] if catalog else []

    def note_graph(
        self,
        name: str,
        *,
        user: str,
        graph: str,
        instance: pulumi.Output[str],
        parent: pulumi.Resource,
    ) -> GraphRecord | None:
        """Declare the row of a graph; None without a catalog.

        :param user: whose graph it is; empty for the app's own
        :param graph: what it is called in Aura
        :param instance: the instance's id
        """
        if self._catalog is None:
            return None
        return GraphRecord(
            name,
            {
                **self.whose,
                "user": user,
                "name": graph,
                "instanceId": instance,
                "retries": self.retries,
            },
            pulumi.ResourceOptions(
                parent=parent,
                depends_on=self._after,
                retain_on_delete=self._app.deletion == "retain",
            ),
        )


class AppRecords(GraphRecords):
    """What the catalog holds of an app. Without a catalog: its API keys alone, which nobody can verify then.

    Not a component: its resources are the app's own children, since one resource more costs every no-op some
    milliseconds.
    """

    services: dict[str, str]
    """The status of each service that is registered."""
    keys: dict[str, dict[str, pulumi.Output[str]]]
    """The API keys that are valid, by name and generation; secret."""

    def __init__(
        self,
        name: str,
        app: App,
        *,
        catalog: Catalog | None,
        project: Place,
        branches: dict[str, pulumi.Output[str]],
        logins: AppLogins,
        database: AppDatabase,
        parent: pulumi.Resource,
    ) -> None:
        """Declare the rows.

        :param catalog: the catalog's tables; None where no catalog is configured
        :param parent: the app
        :param branches: the ids of the app's branches beside `main`, by name
        """
        super().__init__(app, catalog)
        self.services = {}
        # Not deleted with the project: a row is marked, and that takes a call. Only the app's own row can stay with a
        # retained app: a service or a key may also leave alone, and a key that is rotated out or revoked must not stay
        # valid.
        options = pulumi.ResourceOptions(parent=parent)
        if catalog is not None:
            record = AppRecord(
                name,
                {
                    **self.whose,
                    "tenant": app.tenant,
                    "name": app.name,
                    "environment": app.environment,
                    "region": app.region,
                    "project": project.id,
                    "host": project.host,
                    "status": "active",
                    "resources": _parts(app, project, branches, logins, database),
                    "retries": self.retries,
                },
                # An app is active once all that it consists of is there.
                pulumi.ResourceOptions(
                    parent=parent,
                    depends_on=[catalog, database],
                    retain_on_delete=app.deletion == "retain",
                ),
            )
            self._after = [record]
            options = pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(depends_on=[record])
            )
            self.services = {
                service.name: "active" if service.enabled else "disabled"
                for service in app.services
            }
            if self.services:
                Services(
                    f"{name}/services",
                    {
                        **self.whose,
                        "services": self.services,
                        "retries": self.retries,
                    },
                    options,
                )
        self.keys = {}
        for key in app.api_keys:
            expires = end_of(key.expires).isoformat() if key.expires else None
            self.keys[key.name] = {
                str(generation): pulumi.Output.secret(
                    ApiKey(
                        f"{name}/{key.name}/{generation}",
                        {
                            **self.whose,
                            "name": key.name,
                            "prefix": app.names.api_key_prefix(key.name),
                            "generation": generation,
                            # Sorted: another order in the registry is no change.
                            "scopes": sorted(key.scopes),
                            "expiresAt": expires,
                            "retries": app.retries.keys.text(),
                        },
                        options,
                    ).key
                )
                for generation in live_generations(key.generation, key.revoked)
            }


def _parts(
    app: App,
    project: Place,
    branches: dict[str, pulumi.Output[str]],
    logins: AppLogins,
    database: AppDatabase,
) -> dict[str, pulumi.Input[str]]:
    """Tell what the app consists of: the id of each part by its kind and name, `branch main`."""
    names = app.names
    parts: list[tuple[str, str, pulumi.Input[str]]] = [
        *project.parts(),
        *(("branch", name, branch) for name, branch in branches.items()),
        ("database", names.database, database.database.name),
        *(("role", role, role) for role in (names.owner_role, names.group_role, *logins.names)),
        ("schema", names.schema, database.schema.name),
    ]
    return {f"{kind} {part}": id_ for kind, part, id_ in parts}
