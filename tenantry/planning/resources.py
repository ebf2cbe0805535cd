"""The resources of an app: what each is called, what is lost with it, and which fields of the registry it follows.

A change that one of those fields accounts for is told in the field's words. Every other change of the resource is shown
by its own properties: drift that a refresh found, a plugin's own change, a change of the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVERY: Final = "*"


@dataclass(frozen=True)
class Kind:
    """One type of resource."""

    word: str
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields that account for a change, by property; `*` is for create, delete and every other property."""
    lost: str = ""
    """What its deletion destroys for good, with `{}` for its name; empty where it can be made anew without a loss."""
    consequence: bool = False
    """Whether it only notes what other resources are: then it is shown where nothing else changes."""

    def fields(self, name: str = _EVERY) -> tuple[str, ...]:
        """Return the fields that a property follows."""
        return self.follows.get(name, self.follows.get(_EVERY, ()))


_LOGINS: Final = ("database.credentials",)
_BRANCHES: Final = ("database.branches",)
_GRAPHS: Final = ("graph", "graphs_per_user")
_SCHEMA: Final = ("database.schema",)
_EXTENSIONS: Final = ("database.extensions", "database.schema")

KINDS: Final[Mapping[str, Kind]] = {
    tokens.RANDOM_ID: Kind("place", {"keepers": ("region", "database.postgres_version")}),
    tokens.PROJECT: Kind(
        "project",
        {
            "allowedIps": ("database.allowed_ips",),
            "blockPublicConnections": ("database.block_public_connections",),
            "defaultEndpointSettings": ("database.compute",),
            "enableLogicalReplication": ("database.logical_replication",),
            "historyRetentionSeconds": ("database.history_retention",),
            "maintenanceWindow": ("database.maintenance_window",),
            "name": ("namespace",),
            "pgVersion": ("database.postgres_version",),
            "quota": ("database.quota",),
            "regionId": ("region",),
        },
        lost="project {} and all data in it",
    ),
    tokens.BRANCH: Kind("branch", {"*": _BRANCHES}, lost="branch {} and its data"),
    tokens.ENDPOINT: Kind("compute of the branch", {"*": (*_BRANCHES, "database.compute")}),
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
            # Found by a refresh, whatever the registry says.
            "drift": (),
        },
    ),
    tokens.APP_RECORD: Kind(
        "row of the app",
        {"environment": ("environment",), "region": ("region",)},
        consequence=True,
    ),
    tokens.SERVICES: Kind("services", {"*": ("services",)}),
    tokens.API_KEY: Kind("API key", {"*": ("api_keys",)}, lost="API key {}"),
    tokens.GRAPH_RECORD: Kind("row of the graph", {"*": _GRAPHS}),
    tokens.INSTANCE: Kind("graph", {"*": _GRAPHS}, lost="graph {} and all data in it"),
    tokens.INSTANCE_READY: Kind("readiness of the graph", {"*": _GRAPHS}),
}
"""By type. A provider's own resource (`pulumi:providers:…`) is none of them: it is a connection."""

IN_PROJECT: Final = frozenset(
    {
        tokens.BRANCH,
        tokens.DATABASE,
        tokens.SCHEMA,
    }
)
"""What is lost with the project, and need not be said beside it."""


def kind_of(type_: str) -> Kind:
    """Return what is known of a type; of one that is not known, its name."""
    return KINDS.get(type_) or Kind(type_.rpartition(":")[2])
