"""The resources that an app consists of: what each is called, what is lost with it, and which fields of the registry it follows.

A change that one of those fields accounts for is told in the field's words. Every other change of the resource is shown by its own
properties: drift that a refresh found, a plugin's own change, a change of the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_EVERY: Final = "*"


@dataclass(frozen=True)
class Kind:
    """One type of resource."""

    word: str
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields that account for a change, by the property; `*` for its coming and going and for every other property."""
    lost: str = ""
    """What its deletion destroys or ends for good, with `{}` for its name; empty where it is made anew without a loss."""
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
    "random:index/randomId:RandomId": Kind(
        "place", {"keepers": ("region", "database.postgres_version")}
    ),
    "neon:index/project:Project": Kind(
        "project",
        {
            "allowedIps": ("database.allowed_ips",),
            "defaultEndpointSettings": ("database.compute",),
            "historyRetentionSeconds": ("database.history_retention",),
            "name": ("namespace",),
            "pgVersion": ("database.postgres_version",),
            "regionId": ("region",),
        },
        lost="project {} and all data in it",
    ),
    "neon:index/branch:Branch": Kind("branch", {"*": _BRANCHES}, lost="branch {} and its data"),
    "neon:index/endpoint:Endpoint": Kind(
        "compute of the branch", {"*": (*_BRANCHES, "database.compute")}
    ),
    "random:index/randomPassword:RandomPassword": Kind("password", {"*": _LOGINS}),
    "postgresql:index/role:Role": Kind(
        "role",
        {
            "*": _LOGINS,
            "connectionLimit": ("database.connection_limit",),
            "statementTimeout": ("database.statement_timeout",),
            "idleInTransactionSessionTimeout": ("database.idle_in_transaction_timeout",),
        },
    ),
    "postgresql:index/database:Database": Kind(
        "database",
        {"connectionLimit": ("database.connection_limit",)},
        lost="database {} and all data in it",
    ),
    "postgresql:index/schema:Schema": Kind("schema", lost="schema {} and all data in it"),
    "postgresql:index/grant:Grant": Kind("right"),
    "postgresql:index/defaultPrivileges:DefaultPrivileges": Kind("default right"),
    "postgresql:index/extension:Extension": Kind("extension", {"*": _EXTENSIONS}),
    "pulumi-python:dynamic/tenantry:Catalog": Kind("tables"),
    "pulumi-python:dynamic/tenantry:Migration": Kind(
        "migration",
        {
            "*": _SCHEMA,
            # Found by a refresh, whatever the registry says.
            "drift": (),
        },
    ),
    "pulumi-python:dynamic/tenantry:AppRecord": Kind(
        "row of the app",
        {"environment": ("environment",), "region": ("region",)},
        consequence=True,
    ),
    "pulumi-python:dynamic/tenantry:Services": Kind("services", {"*": ("services",)}),
    "pulumi-python:dynamic/tenantry:ApiKey": Kind(
        "API key", {"*": ("api_keys",)}, lost="API key {}"
    ),
    "pulumi-python:dynamic/tenantry:GraphRecord": Kind("row of the graph", {"*": _GRAPHS}),
    "pulumi-python:dynamic/tenantry:AuraInstance": Kind(
        "graph", {"*": _GRAPHS}, lost="graph {} and all data in it"
    ),
    "pulumi-python:dynamic/tenantry:AuraReady": Kind("readiness of the graph", {"*": _GRAPHS}),
}
"""By type. A provider's own resource (`pulumi:providers:…`) is none of them: it is a connection."""

IN_PROJECT: Final = frozenset(
    {
        "neon:index/branch:Branch",
        "postgresql:index/database:Database",
        "postgresql:index/schema:Schema",
    }
)
"""What is lost with the project, and need not be said beside it."""
PROJECT: Final = "neon:index/project:Project"
MIGRATION: Final = "pulumi-python:dynamic/tenantry:Migration"


def kind_of(type_: str) -> Kind:
    """Return what is known of a type; of one that is not known, its name."""
    return KINDS.get(type_) or Kind(type_.rpartition(":")[2])
