"""What an operator does while something breaks: a registry that was applied, and the one that is being applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tenantry.registry.names import AppNames

TENANT: Final = "acme"
Apps = dict[str, dict[str, Any]]

_PLAIN: Final[dict[str, Any]] = {
    "environment": "development",
    "region": "aws-us-east-2",
    "deletion": "delete",
}
_GRAPH: Final = {
    "type": "professional-db",
    "cloud": "gcp",
    "region": "us-central1",
    "memory": "1GB",
}
_REVISION: Final = """\
from alembic import op

revision = {id!r}
down_revision = {after!r}


def upgrade() -> None:
    op.execute("CREATE TABLE {table} (id int PRIMARY KEY)")
    op.execute("INSERT INTO {table} SELECT generate_series(1, 3)")


def downgrade() -> None:
    op.execute("DROP TABLE {table}")
"""


@dataclass(frozen=True)
class Scenario:
    """One change of the registry.

    `before` is applied undisturbed, where it is given; `after` is what the disturbed run and the recovery apply.
    """

    name: str
    after: Apps
    before: Apps | None = None
    replaces: bool = False
    """The app's project is made a second time, because it was asked for."""
    catalog: bool = False
    """Whether the stack has a control plane; without one a run has a process less to start."""
    tables: tuple[str, ...] = ()
    """Tables that the app's schema has in the end, with three rows in each that our own history makes."""

    def write(self, folder: Path, namespace: str, apps: Apps) -> None:
        """Write the registry, and the history that it may name."""
        registry = {
            "version": 1,
            "namespace": namespace,
            "tenants": {TENANT: {"name": "Acme Inc.", "apps": apps}},
        }
        (folder / "tenants.yaml").write_text(yaml.safe_dump(registry, sort_keys=False))
        versions = folder / "history" / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        for id_, after, table in (("one", None, "items"), ("two", "one", "more")):
            (versions / f"{id_}.py").write_text(
                _REVISION.format(id=id_, after=after, table=table), "utf-8"
            )

    def projects(self, namespace: str) -> dict[str, str]:
        """The projects that the registry asks for in the end: their names by app id."""
        return {f"{TENANT}/{app}": AppNames(namespace, TENANT, app).project for app in self.after}

    def graphs(self, namespace: str) -> dict[str, str]:
        """The Aura instances that it asks for: their names by graph id."""
        return {
            f"{TENANT}/{app}": AppNames(namespace, TENANT, app).graph
            for app, settings in self.after.items()
            if "graph" in settings
        }


def _app(**settings: Any) -> dict[str, Any]:
    return _PLAIN | settings


_FULL: Final = _app(
    database={"schema": "./history"}, services=["auth"], api_keys=[{"name": "default"}]
)

PROJECT: Final = Scenario("create", {"web": _app()})
WHOLE: Final = Scenario("create-whole", {"web": _FULL}, catalog=True, tables=("items", "more"))
SCHEMA: Final = Scenario(
    "schema",
    {"web": _app(database={"schema": "./history"})},
    before={"web": _app(database={"schema": {"path": "./history", "revision": "one"}})},
    tables=("items", "more"),
)
TEMPLATE: Final = Scenario(
    "template", {"web": _app(database={"schema": "base"})}, before={"web": _app()}
)
BRANCH: Final = Scenario(
    "branch", {"web": _app(database={"branches": {"qa": {}}})}, before={"web": _app()}
)
RESIZE: Final = Scenario(
    "resize",
    {"web": _app(database={"compute": {"min_cu": 0.5, "max_cu": 1}})},
    before={"web": _app()},
)
GRAPH: Final = Scenario("graph", {"web": _app(graph=_GRAPH)}, before={"web": _app()}, catalog=True)
GRAPH_RESIZE: Final = Scenario(
    "graph-resize",
    {"web": _app(graph=_GRAPH | {"memory": "2GB"})},
    before={"web": _app(graph=_GRAPH)},
)
DELETION: Final = Scenario("delete", {"web": _app()}, before={"web": _app(), "gone": _app()})
GRAPH_DELETION: Final = Scenario(
    "delete-graph", {"web": _app()}, before={"web": _app(graph=_GRAPH)}
)
REPLACEMENT: Final = Scenario(
    "replace",
    {"web": _app(region="aws-eu-central-1")},
    before={"web": _app()},
    replaces=True,
)
ROTATION: Final = Scenario(
    "rotate", {"web": _app(database={"credentials": {"generation": 2}})}, before={"web": _app()}
)
SECOND_ROTATION: Final = Scenario(
    "rotate-again",
    {"web": _app(database={"credentials": {"generation": 3}})},
    before={"web": _app(database={"credentials": {"generation": 2}})},
)
KEY_ROTATION: Final = Scenario(
    "rotate-key",
    {"web": _app(api_keys=[{"name": "default", "generation": 2}])},
    before={"web": _app(api_keys=[{"name": "default"}])},
    catalog=True,
)
RENAMING: Final = Scenario(
    "rename",
    {"site": _FULL | {"renamed_from": f"{TENANT}/web", "graph": _GRAPH}},
    before={"web": _FULL | {"graph": _GRAPH}},
    catalog=True,
    tables=("items", "more"),
)
TWO: Final = Scenario("create-two", {"web": _app(), "api": _app(graph=_GRAPH)})
