"""The registry as the program uses it: complete, checked, frozen.

Every value is in plain units (milliseconds, seconds, Compute Units) and every default is applied.
What an operator writes is in `written`; `loading` makes the one from the other.
`model_dump(mode="json")` of an App is stable: positions in the file are not part of it.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date  # pydantic reads the annotations at run time
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import Field, model_validator

from tenantry.clouds.table import USUAL
from tenantry.errors import did_you_mean
from tenantry.registry.budget import Budget
from tenantry.registry.frozen import Frozen
from tenantry.registry.names import AppNames
from tenantry.registry.notices import Notify
from tenantry.registry.prices import USUAL as USUAL_PRICES
from tenantry.registry.prices import Prices
from tenantry.registry.self_service import SelfService
from tenantry.retries import RetryPolicy

FEW: Final = 20
"""In a fleet of fewer apps a share means nothing: there, naming the apps is enough."""

Environment: TypeAlias = Literal["production", "staging", "development"]
ServiceName: TypeAlias = Literal["auth", "realtime", "storage"]
Scope: TypeAlias = Literal["read", "write", "admin"]
Deletion: TypeAlias = Literal["protect", "retain", "delete"]
Weekday: TypeAlias = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
Cloud: TypeAlias = Literal["gcp", "aws", "azure"]
GraphType: TypeAlias = Literal[
    "free-db",
    "professional-db",
    "business-critical",
    "enterprise-db",
    "professional-ds",
    "enterprise-ds",
]


class SchemaSource(Frozen):
    """Where an app's tables come from: a template, an Alembic folder, or both for a template of the operator's own."""

    template: str | None = None
    path: str | None = None
    """Relative to the folder of the registry file."""
    extensions: tuple[str, ...] = ()
    """What a template of the operator's own needs; the others tell it themselves."""
    revision: str = "head"
    allow_downgrade: bool = False


class Compute(Frozen):
    """The size of an app's compute, in Compute Units (CU), and when it is suspended."""

    min_cu: float = 0.25
    max_cu: float = 2.0
    suspend_after: int = 300
    """Seconds of idleness; -1 for never, as in Neon's API."""


class Quota(Frozen):
    """The most that an app's project may use before Neon suspends it; None is no limit."""

    active_time: int | None = None
    """Seconds that its computes run, in a billing period."""
    compute_time: int | None = None
    """CPU seconds of its computes, in a billing period."""
    written_data: int | None = None
    """Bytes in a billing period, to all branches."""
    data_transfer: int | None = None
    """Bytes in a billing period, from all branches."""
    logical_size: int | None = None
    """Bytes of data in one branch."""


class MaintenanceWindow(Frozen):
    """When Neon may restart an app's computes for its own maintenance, in UTC."""

    weekdays: tuple[Weekday, ...]
    start: str
    """`HH:MM`."""
    end: str
    """`HH:MM`."""


class Branch(Frozen):
    """A Neon branch beside `main`."""

    name: str
    protected: bool = False
    expires: date | None = None
    """The last day, in UTC, on which it is there; may be over, and then Neon has deleted the branch."""


class Credentials(Frozen):
    """Which of the app's logins is in use: an odd generation is the first, an even one the second."""

    generation: int = 1


class Database(Frozen):
    """An app's project and Postgres database."""

    schema_source: SchemaSource | None = Field(default=None, alias="schema")
    provider: str = USUAL.name
    """The cloud that it is in, by its name (`tenantry.clouds`)."""
    postgres_version: int = 17
    connection_limit: int = 20
    statement_timeout: int = 30_000
    """Milliseconds."""
    idle_in_transaction_timeout: int = 10_000
    """Milliseconds."""
    extensions: tuple[str, ...] = ()
    compute: Compute = Compute()
    history_retention: int = 21_600
    """Seconds."""
    allowed_ips: tuple[str, ...] = ()
    """Addresses, ranges (`a-b`) and networks; none means that every address may connect."""
    block_public_connections: bool | None = None
    """Whether connections from the internet are refused; None leaves the project as it is."""
    protected: bool = False
    """Whether Neon refuses to delete the main branch, and with it the project."""
    logical_replication: bool = False
    """Whether the project's write-ahead log serves logical replication. Neon cannot turn it off again."""
    maintenance_window: MaintenanceWindow | None = None
    """None leaves the project's as it is."""
    quota: Quota | None = None
    """None leaves the project's as it is."""
    branches: tuple[Branch, ...] = ()
    credentials: Credentials = Credentials()
    url_scheme: str = "postgresql"


class ServiceEntry(Frozen):
    """A service that an app is registered with. A disabled one stays registered, and refuses the app."""

    name: ServiceName
    enabled: bool = True


class ApiKey(Frozen):
    """An API key of an app. `expires` may be in the past: such a key has expired."""

    name: str
    scopes: tuple[Scope, ...] = ("read", "write")
    generation: int = 1
    revoked: tuple[int, ...] = ()
    """Generations that are refused before their time."""
    expires: date | None = None


class Graph(Frozen):
    """A Neo4j Aura instance; values are those of the Aura API."""

    type: GraphType
    cloud: Cloud
    region: str
    memory: str
    version: str = "5"
    paused: bool = False
    snapshot_before_delete: bool = False


class GraphsPerUser(Graph):
    """A Neo4j Aura instance for each of the app's users, all of one kind."""

    users: tuple[str, ...] = ()


class Adopt(Frozen):
    """A Neon project that is there already, and becomes the app's in the place of a new one."""

    project: str
    """Its id in Neon."""


class DeclaredGraph(NamedTuple):
    """One instance that an app asks for."""

    id: str
    """The app's id, or `tenant/app/user` for one of a user."""
    user: str | None
    name: str
    """What it is called in Aura."""
    graph: Graph


class Quotas(Frozen):
    """How many of each an app may have."""

    databases: int = 1
    api_keys: int = 10
    services: int = 3


class Retries(Frozen):
    """How often each step is tried, and how long is waited between two attempts."""

    database: RetryPolicy = RetryPolicy(attempts=3, first_delay=10_000)
    migration: RetryPolicy = Field(
        default=RetryPolicy(attempts=3, first_delay=5_000), alias="schema"
    )
    services: RetryPolicy = RetryPolicy(attempts=2, first_delay=3_000)
    keys: RetryPolicy = RetryPolicy(attempts=2, first_delay=2_000)

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, written: Any) -> Any:  # noqa: ANN401  # whatever the caller gave
        """Fill what a step leaves out with that step's own defaults."""
        if not isinstance(written, dict):
            return written
        defaults = {}
        for name, field in cls.model_fields.items():
            defaults[name] = defaults[field.alias or name] = asdict(field.default)
        return {
            step: defaults.get(step, {}) | given if isinstance(given, dict) else given
            for step, given in written.items()
        }


class Location(NamedTuple):
    """Where an app is declared: the file as it was named to `load`, and the line of the app's key.

    Of an app that was asked for, what the rows are called (`catalog`), and 0.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class App(Frozen):
    """One app of one tenant, complete."""

    id: str
    """`tenant/app`."""
    namespace: str
    tenant: str
    tenant_name: str
    contact: str | None
    name: str
    environment: Environment
    region: str
    """Neon's own name of the region, never an alias."""
    adopt: Adopt | None = None
    database: Database = Database()
    services: tuple[ServiceEntry, ...] = ()
    api_keys: tuple[ApiKey, ...] = ()
    graph: Graph | None = None
    graphs_per_user: GraphsPerUser | None = None
    deletion: Deletion = "protect"
    quotas: Quotas = Quotas()
    retries: Retries = Retries()
    budget: Budget | None = Field(default=None, exclude=True)
    """What it may use in a month. No stack holds it: a limit that Neon keeps is in `database.quota`."""
    renamed_from: tuple[str, ...] = Field(default=(), exclude=True)
    """The ids that it had before, the newest first, as the registry says (`renamed`)."""
    formerly: tuple[str, ...] = Field(default=(), exclude=True)
    """The ids that it had in its stack, the newest first: as the state says, or where there is none, the app itself."""
    location: Location = Field(exclude=True, repr=False)
    row: str | None = Field(default=None, exclude=True)
    """The id of the row that it was asked for in; None of an app of the file."""

    @cached_property
    def names(self) -> AppNames:
        """Every name derived from the app's place in the registry, and from the id that it had first."""
        first = self.formerly[-1] if self.formerly else ""
        return AppNames(self.namespace, self.tenant, self.name, first)

    def held_formerly(self, ids: tuple[str, ...]) -> "App":
        """Return the app as a stack holds it that knew it under these ids, the newest first."""
        known = {name: getattr(self, name) for name in type(self).model_fields}
        return App.model_construct(**(known | {"formerly": ids}))

    @cached_property
    def graphs(self) -> tuple[DeclaredGraph, ...]:
        """The app's own graph, if it has one, and those of its users."""
        own = [DeclaredGraph(self.id, None, self.names.graph, self.graph)] if self.graph else []
        each = self.graphs_per_user
        users = each.users if each else ()
        return (
            *own,
            *(
                DeclaredGraph(f"{self.id}/{user}", user, self.names.user_graph(user), each)
                for user in users
                if each
            ),
        )


class Tenant(Frozen):
    """A customer: the label in the registry, the display name, whom to ask."""

    label: str
    name: str
    contact: str | None
    renamed_from: tuple[str, ...] = ()
    """The labels that it had before, the newest first."""
    quotas: Quotas = Quotas()
    """What its apps may have where they say nothing."""
    budget: Budget | None = None
    """What all of them may use in a month."""


class Limits(Frozen):
    """What one run may do at most."""

    removals: int = 10
    """Percent of a fleet. An app is removed that leaves, is replaced, or loses a branch, a graph or a key."""

    def most_unnamed(self) -> int:
        """Return how many apps may be removed in a run that does not name them."""
        return 1 if self.removals else 0

    def most_of(self, fleet: int) -> int:
        """Return how many of a fleet's apps one run may remove, named or not.

        Of fewer than 20 apps a share says nothing: there all may go that are named.
        """
        return max(1, fleet * self.removals // 100) if fleet >= FEW else fleet


class Registry(Frozen):
    """A whole registry. Tenants and apps are in the file's order."""

    version: Literal[1]
    namespace: str
    limits: Limits = Limits()
    tenants: tuple[Tenant, ...]
    apps: tuple[App, ...]
    self_service: SelfService | None = None
    """None where the service offers nothing."""
    notify: tuple[Notify, ...] = ()
    prices: Prices = USUAL_PRICES

    def app(self, app_id: str) -> App:
        """Return the app `tenant/app`. Raises LookupError, with the nearest id, if there is none."""
        found = self._by_id.get(app_id)
        if found is None:
            raise LookupError(
                f'no app "{app_id}" in the registry{did_you_mean(app_id, self._by_id)}'
            )
        return found

    @cached_property
    def _by_id(self) -> dict[str, App]:
        return {app.id: app for app in self.apps}

    def with_apps(self, apps: Iterable[App]) -> "Registry":
        """Return it with these apps in the place of its own."""
        known = {name: getattr(self, name) for name in type(self).model_fields}
        return Registry.model_construct(**(known | {"apps": tuple(apps)}))

    def declares(self, app_id: str) -> bool:
        """Tell whether the file has the app `tenant/app`. One that was asked for is not in it."""
        found = self._by_id.get(app_id)
        return found is not None and found.row is None

    def called_before(self, app_id: str) -> str | None:
        """Return the id that the app `tenant/app` has now, where it was renamed; else None."""
        return self._by_former_id.get(app_id)

    @cached_property
    def _by_former_id(self) -> dict[str, str]:
        return {before: app.id for app in self.apps for before in app.renamed_from}
