"""The resources of an app: what each is called, what is lost with it, and which fields of the registry it follows.

A change that one of those fields accounts for is told in the field's words. Every other change of the resource is shown
by its own properties: drift that a refresh found, a plugin's own change, a change of the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.clouds.cloud import Kind
from tenantry.clouds.table import CLOUDS
from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

_RENAMED: Final = ("id",)
_LOGINS: Final = ("database.credentials",)
_GRAPHS: Final = ("graph", "graphs_per_user")
_SCHEMA: Final = ("database.schema",)
_EXTENSIONS: Final = ("database.extensions", "database.schema")

KINDS: Final[Mapping[str, Kind]] = {
    tokens.RANDOM_ID: Kind(
        "place", {"keepers": ("region", "database.postgres_version", "database.provider")}
    ),
    tokens.RANDOM_PASSWORD: Kind("password", {"*": _LOGINS}),
    tokens.ROLE: Kind(
        "role",
        {
            "*": _LOGINS,
            "connectionLimit": ("database.connection_limit",),
            "statementTimeout": ("database.statement_timeout",),
            "idleInTransactionSessionTimeout": ("database.idle_in_transaction_timeout",),
        },
    ),
    tokens.DATABASE: Kind(
        "database",
        {"connectionLimit": ("database.connection_limit",)},
        lost="database {} and all data in it",
    ),
    tokens.SCHEMA: Kind("schema", lost="schema {} and all data in it"),
    tokens.GRANT: Kind("right"),
    tokens.DEFAULT_PRIVILEGES: Kind("default right"),
    tokens.EXTENSION: Kind("extension", {"*": _EXTENSIONS}),
    tokens.CATALOG: Kind("tables"),
    tokens.MIGRATION: Kind(
        "migration",
        {
            "*": _SCHEMA,
            "app": _RENAMED,
            # Found by a refresh, whatever the registry says.
            "drift": (),
        },
    ),
    tokens.APP_RECORD: Kind(
        "row of the app",
        {
            "environment": ("environment",),
            "region": ("region",),
            **dict.fromkeys(("app", "tenant", "name", "resources"), _RENAMED),
        },
        consequence=True,
    ),
    tokens.SERVICES: Kind("services", {"*": ("services",), "app": _RENAMED}),
    tokens.API_KEY: Kind("API key", {"*": ("api_keys",), "app": _RENAMED}, lost="API key {}"),
    tokens.GRAPH_RECORD: Kind(
        "row of the graph", {"*": _GRAPHS, "app": _RENAMED, "name": (*_GRAPHS, *_RENAMED)}
    ),
    **{type_: kind for cloud in CLOUDS for type_, kind in cloud.kinds.items()},
}
"""By type. A provider's own resource (`pulumi:providers:…`) is none of them: it is a connection."""

IN_PROJECT: Final = frozenset(
    {
        *(type_ for cloud in CLOUDS for type_ in cloud.within),
        tokens.DATABASE,
        tokens.SCHEMA,
    }
)
"""What is lost with the project, and need not be said beside it."""


def kind_of(type_: str) -> Kind:
    """Return what is known of a type; of one that is not known, its name."""
    return KINDS.get(type_) or Kind(type_.rpartition(":")[2])
