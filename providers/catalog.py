"""The catalog's tables and rows as Pulumi resources.

The state refers to this module, its provider classes and the types
`pulumi-python:dynamic/tenantry:{Catalog,AppRecord,Services,GraphRecord}` by name: moving or renaming one of them breaks
every state that holds such a resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi.dynamic import ConfigureRequest, CreateResult, ReadResult, UpdateResult

from providers.provider import Properties, Provider, Result
from providers.resource import Resource
from tenantry.catalog.location import CONFIG, NAME, VARIABLE
from tenantry.catalog.revision import newest
from tenantry.provisioning.errors import MissingError
from tenantry.provisioning.retries import repeat
from tenantry.retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    import pulumi
    from sqlalchemy import Connection

    from tenantry.catalog.rows import AppKey
    from tenantry.provisioning.errors import Step


class CatalogProvider(Provider):
    """What the resources of the catalog share: where it is, and how a step in it is done.

    Stateless: the URL comes from today's environment or configuration, so that a refresh or a destroy after the
    password's rotation uses today's.
    """

    step: ClassVar[Step]

    _url: str | None = None

    def configure(self, req: ConfigureRequest) -> None:
        """Take the catalog's URL."""
        super().configure(req)
        self._url = self.surroundings.environment.get(VARIABLE) or req.config.get(CONFIG)

    def url(self, app: str) -> str:
        """Return the catalog's URL.

        :raises MissingError: there is none
        """
        if not self._url:
            raise MissingError(
                app,
                self.step,
                "no catalog is configured, and this row is in one",
                f"set {VARIABLE}, or pulumi config set --secret {CONFIG}",
            )
        return self._url

    def attempt(self, props: Properties, action: Callable[[], Result]) -> Result:
        """Do a step as often as its policy says."""
        return repeat(RetryPolicy.of(props.get("retries")), self.step, action)

    def in_catalog(self, props: Properties, action: Callable[[Connection], Result]) -> Result:
        """Do a step in a transaction of its own in the catalog."""
        # Imported here: a run that changes nothing does without SQLAlchemy.
        from tenantry.catalog.connecting import writing

        def once() -> Result:
            with writing(self.url(props["app"]), props["app"], self.step) as connection:
                return action(connection)

        return self.attempt(props, once)

    def look_up(
        self, props: Properties, action: Callable[[Connection], Result | None]
    ) -> Result | None:
        """Read in the catalog; None also where all of it is gone, as the tables' own resource says at the same time."""
        from tenantry.catalog.connecting import NoCatalogError

        try:
            return self.in_catalog(props, action)
        except NoCatalogError:
            return None


def app_key(props: Properties) -> AppKey:
    """Tell which app a row belongs to."""
    from tenantry.catalog.rows import AppKey

    return AppKey(props["namespace"], props["app"])


class TablesProvider(CatalogProvider):
    """Keeps the catalog's tables at the revision of this version."""

    inputs = ("catalog", "revision")
    working = ("app", "retries")
    step = "tables"

    def create(self, props: Properties) -> CreateResult:
        """Make or update the tables. Done twice, it finds them."""
        return CreateResult("catalog", self._migrate(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Update the tables."""
        return UpdateResult(self._migrate(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the revision."""
        from tenantry.catalog.migrating import revision_of

        found = self.attempt(props, lambda: revision_of(self.url(NAME)))
        if found is None:
            return ReadResult(None, {})
        outputs = props | {"revision": found}
        return ReadResult(id_, outputs, self.given(outputs))

    def _migrate(self, props: Properties) -> Properties:
        from tenantry.catalog.migrating import migrate

        self.attempt(props, lambda: migrate(self.url(NAME)))
        return self.given(props)


class AppRecordProvider(CatalogProvider):
    """Keeps an app's row and those of its parts."""

    inputs = (
        "namespace",
        "app",
        "tenant",
        "name",
        "environment",
        "region",
        "project",
        "host",
        "status",
        "resources",
        "catalog",
    )
    step = "services"

    def create(self, props: Properties) -> CreateResult:
        """Write the rows. After a lost answer the same live row is found by its app."""
        return CreateResult(self._save(props), self.given(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the rows; where the live row is another one by now, follow it. A renamed app keeps its row."""
        from tenantry.catalog.rows import rename_app

        def rename(connection: Connection) -> None:
            rename_app(connection, _row(_id, _olds), app_key(_news))

        before = rename if _olds["app"] != _news["app"] else None
        return UpdateResult(self.given(_news) | {"row": self._save(_news, before)})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the rows; gone means that no live row has the id."""
        from tenantry.catalog.rows import read_app

        found = self.look_up(props, lambda connection: read_app(connection, _row(id_, props)))
        if found is None:
            return ReadResult(None, {})
        facts, parts = found
        resources = {f"{each.kind} {each.name}": each.external_id for each in parts}
        project = facts.pop("neon_project_id")
        outputs = props | facts | {"project": project, "resources": resources}
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, id_: str, _props: Properties) -> None:
        """Mark the rows as deleted."""
        from tenantry.catalog.rows import delete_app

        self.in_catalog(_props, lambda connection: delete_app(connection, _row(id_, _props)))

    def _save(self, props: Properties, before: Callable[[Connection], None] | None = None) -> str:
        from tenantry.catalog.rows import Resource as Part
        from tenantry.catalog.rows import save_app

        facts = {
            name: props[name] for name in ("tenant", "name", "environment", "region", "host")
        } | {"neon_project_id": props["project"]}
        parts = []
        for part, id_ in props["resources"].items():
            kind, _, name = part.partition(" ")
            parts.append(Part(kind, name, id_))

        def save(connection: Connection) -> str:
            if before is not None:
                before(connection)
            return save_app(connection, app_key(props), facts, parts)

        return self.in_catalog(props, save)


class ServicesProvider(CatalogProvider):
    """Keeps the rows of an app's services."""

    inputs = ("namespace", "app", "services", "catalog")
    step = "services"

    def create(self, props: Properties) -> CreateResult:
        """Register the services. Done twice, they are the same rows."""
        return CreateResult(f"{props['app']}:services", self._save(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Set each service's status, and take off those that left."""
        return UpdateResult(self._save(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the services' statuses."""
        from tenantry.catalog.rows import read_services

        found = self.look_up(props, lambda connection: read_services(connection, app_key(props)))
        if not found:
            return ReadResult(None, {})
        outputs = props | {"services": found}
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, _id: str, _props: Properties) -> None:
        """Take the services off."""
        from tenantry.catalog.rows import delete_services

        self.in_catalog(_props, lambda connection: delete_services(connection, app_key(_props)))

    def _save(self, props: Properties) -> Properties:
        from tenantry.catalog.rows import save_services

        self.in_catalog(
            props,
            lambda connection: save_services(connection, app_key(props), props["services"]),
        )
        return self.given(props)


class GraphRecordProvider(CatalogProvider):
    """Keeps the row of a graph: of an app, or of one of its users. How far the graph is, what waits for it says."""

    inputs = ("namespace", "app", "user", "name", "instanceId", "catalog")
    step = "graphs"

    def create(self, props: Properties) -> CreateResult:
        """Write the row. Done twice, it is the same one."""
        return CreateResult(f"{props['app']}:graph:{props['user']}", self._save(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the row."""
        return UpdateResult(self._save(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the row."""
        from tenantry.catalog.rows import read_graph

        found = self.look_up(
            props, lambda connection: read_graph(connection, app_key(props), props["user"])
        )
        if found is None:
            return ReadResult(None, {})
        outputs = props | {"name": found[0], "instanceId": found[1]}
        return ReadResult(id_, outputs, self.given(outputs))

    def delete(self, _id: str, _props: Properties) -> None:
        """Mark the row as deleted."""
        from tenantry.catalog.rows import delete_graph

        self.in_catalog(
            _props, lambda connection: delete_graph(connection, app_key(_props), _props["user"])
        )

    def mark(self, props: Properties, status: str, uri: str | None = None) -> None:
        """Note how far the graph is."""
        from tenantry.catalog.rows import mark_graph

        self.in_catalog(
            props,
            lambda connection: mark_graph(connection, app_key(props), props["user"], status, uri),
        )

    def _save(self, props: Properties) -> Properties:
        from tenantry.catalog.rows import save_graph

        self.in_catalog(
            props,
            lambda connection: save_graph(
                connection, app_key(props), props["user"], props["name"], props["instanceId"]
            ),
        )
        return self.given(props)


def _row(id_: str, props: Properties) -> str:
    # Somebody removed the first row, and this one took its place.
    return str(props.get("row") or id_)


class Catalog(Resource, module="tenantry", name="Catalog"):
    """The catalog's tables. Deleting it does nothing: other stacks may use them, and the history stays."""

    def __init__(
        self, name: str, label: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the tables at this version's newest revision.

        :param label: which catalog it is, without a secret
        """
        retries = RetryPolicy(attempts=2, first_delay=3_000).text()
        props = {"catalog": label, "revision": newest(), "app": NAME, "retries": retries}
        super().__init__(TablesProvider(), name, props, opts)
        self.label = label


class AppRecord(Resource, module="tenantry", name="AppRecord"):
    """An app in the catalog. Deleting it marks the rows and keeps them."""

    def __init__(
        self, name: str, props: Properties, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the app, with the inputs of `AppRecordProvider` and `retries`."""
        super().__init__(AppRecordProvider(), name, {**props, "row": None}, opts)


class Services(Resource, module="tenantry", name="Services"):
    """An app's services in the catalog. Deleting them marks the rows and keeps them."""

    def __init__(
        self, name: str, props: Properties, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the services: the inputs of `ServicesProvider`, and `retries`; `services` has a status by type."""
        super().__init__(ServicesProvider(), name, props, opts)


class GraphRecord(Resource, module="tenantry", name="GraphRecord"):
    """A graph in the catalog. Deleting it marks the row and keeps it."""

    def __init__(
        self, name: str, props: Properties, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the row, with the inputs of `GraphRecordProvider` and `retries`."""
        super().__init__(GraphRecordProvider(), name, props, opts)
