"""Where a run is stopped, and by whose death: the matrix.

Not every victim is at every point, where it would say nothing new:

- the cloud's death ends what it had received, so nothing that it held can land late;
- once an answer has arrived, the death of who gave it, or of who handed it on, changes nothing for that step: at
  `answered` only the engine's side dies;
- a plugin of ours makes each role and each right in one transaction. So a kill before its COMMIT is tried at few
  statements, with all victims where the password is set, and a kill after it at a COMMIT that the seed chooses;
- PostgreSQL dies where a statement is under way; the local cloud's death, which ends its servers too, is tried for SQL
  where the dynamic provider works;
- `random` makes nothing outside of the state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.faults import scenarios
from tests.faults.processes import Role
from tests.faults.scenarios import Scenario

Victim = Literal[
    "command", "resident", "engine", "group", "provider", "cloud", "postgres", "nobody"
]
VICTIMS: Final[tuple[Victim, ...]] = (
    "command",
    "resident",
    "engine",
    "group",
    "provider",
    "cloud",
    "postgres",
    "nobody",
)
"""Who dies.

- `command`: the run is `tenantry up`, and that process alone is killed, by SIGKILL. With it dies what serves the
  program and the dynamic providers. The engine ends by itself.
- `resident`: the run is `tenantry up`, and its engine is killed, by SIGKILL, with the plugins that are in it. The
  command lives and reports it. In all other cases the run is `pulumi up`.
- `engine`: the `pulumi` process alone, by SIGKILL.
- `group`: everything that the run had started, at one moment, as when a container is killed. The plugins are in process
  groups of their own, so a signal to the engine's would not reach them.
- `provider`: the plugin that was at work; the engine lives and reports it.
- `cloud`: the local cloud, which is started again.
- `postgres`: the server of the branch, at that statement.
- `nobody`: an answer goes wrong, and all live on.
"""

Where = Literal[
    "before the request",
    "after it was sent",
    "done, not answered",
    "answered, not in the state",
    "in the wait",
    "between project and roles",
    "between password and grant",
    "in the database",
    "in a migration",
    "in a catalog write",
    "in a graph's create",
    "in a graph's wait",
    "in a deletion",
    "in a replacement",
    "in a rotation",
    "in a branch",
    "in a resize",
    "in a renaming",
    "lost answers",
    "errors after the work",
    "rate limits",
    "broken answers",
    "failing operations",
    "sleeping computes",
    "refused connections",
]
"""The kill point, as the table at the end counts it; from `lost answers` on nobody is killed."""

Order = dict[str, Any]
PACE: Final = 0.02
"""Of the local cloud: short, but long enough that operations are still under way when a create is answered."""

_ALL: Final[tuple[Victim, ...]] = ("engine", "group", "provider", "cloud")
_SQL: Final[tuple[Victim, ...]] = ("engine", "group", "provider", "postgres")
_DYNAMIC: Final[tuple[Victim, ...]] = (
    *("command", "engine", "group", "provider", "cloud", "postgres"),
)
_SERVED: Final[tuple[Victim, ...]] = ("command", "resident")
_HERE: Final[tuple[Victim, ...]] = ("engine", "group")
_DYNAMIC_HERE: Final[tuple[Victim, ...]] = ("command", *_HERE)

_PASSWORD: Final = "* do *"
"""The plugin hands a password over as a parameter, and sets it in a block."""
_COMMIT: Final = "* commit"
_COMMITS: Final = 11
"""So many transactions at least does the plugin end while it makes an app."""


@dataclass(frozen=True)
class Case:
    """One run that is disturbed, its recovery, and what must be so afterwards."""

    where: Where
    what: str
    scenario: Scenario
    orders: tuple[Order, ...]
    """The first is the point: it must take effect, or the case says nothing."""
    victim: Victim = "nobody"
    provider: Role = "other"
    """The plugin that is at work at that point."""
    answered: bool = False
    """The answer arrives and the engine never reads it: it is stopped, all is let go on, and then it is killed."""
    skip: int = 0
    """The seed chooses which of so many matching statements is the point."""
    late: bool = False
    """What is held arrives only while the recovery runs."""
    asleep: bool = False
    """The computes are suspended when the run begins."""
    converges: bool = False
    """The disturbed run itself must succeed: what goes wrong is to be tried again by itself."""
    must_fail: bool = False
    """The disturbed run itself must say that it failed."""
    environment: dict[str, str] = field(default_factory=dict)
    creates_of_projects: int = 1
    """How many of one name there may be, one after the other; one more where the scenario asks for a replacement."""
    creates_of_graphs: int = 1
    """How often an instance may be asked for at most."""
    by_command: bool = False
    """The named command deletes a graph whose password nobody got, or a project that Neon could not finish. It is made
    again, so two may have been made, one after the other."""
    stock: str = ""
    """What the unmodified provider does here instead, as far as it is known; empty where nothing is."""

    @property
    def served(self) -> bool:
        """Whether the run is `tenantry up`."""
        return self.victim in {"command", "resident"}

    @property
    def id(self) -> str:
        """Its name: what is being done, where it is disturbed, who dies."""
        return f"{self.scenario.name}/{self.what}/{self.victim}"


def hold(api: str, match: str, when: str, then: str = "go", skip: int = 0) -> Order:
    """An order that holds one request or statement until it is taken back."""
    fault = {"kind": "hold", "when": when, "then": then}
    return {"api": api, "match": match, "skip": skip, "fault": fault}


def once(api: str, match: str, *, count: int | None = 1, **fault: Any) -> Order:
    """An order of any other fault."""
    return {"api": api, "match": match, "count": count, "fault": fault}


def _at(
    where: Where,
    what: str,
    scenario: Scenario,
    order: Order,
    victims: tuple[Victim, ...],
    provider: Role,
    **more: Any,
) -> list[Case]:
    """A point with each of those who may die there."""
    found = []
    for victim in victims:
        placed = order
        if victim == "postgres":
            # The server itself dies at the statement: there is nothing to be held.
            placed = {**order, "fault": {"kind": "die"}}
        found.append(
            Case(where, what, scenario, (placed,), victim=victim, provider=provider, **more)
        )
    return found


def _project() -> list[Case]:
    """The create of a project: the request that costs money."""
    post = "POST /projects"
    twice = "a second project is made, and the first is in no state"
    stock = {"stock": twice}
    return [
        *_at(
            "before the request",
            "project",
            scenarios.PROJECT,
            hold("neon", post, "before", then="drop"),
            _ALL,
            "neon",
        ),
        # The cloud's own death ends what it had received: nothing is left that could land late.
        *_at(
            "after it was sent",
            "project-late",
            scenarios.PROJECT,
            hold("neon", post, "before"),
            ("engine", "group", "provider"),
            "neon",
            late=True,
            **stock,
        ),
        *_at(
            "done, not answered",
            "project-done",
            scenarios.WHOLE,
            hold("neon", post, "after"),
            (*_SERVED, *_ALL),
            "neon",
            **stock,
        ),
        # A provider or a cloud that dies after its answer has been received changes nothing for that request.
        *_at(
            "answered, not in the state",
            "project-answered",
            scenarios.PROJECT,
            hold("neon", post, "after"),
            _HERE,
            "neon",
            answered=True,
            **stock,
        ),
        *_at(
            "in the wait",
            "project-wait",
            scenarios.PROJECT,
            once("neon", post, kind="operation", outcome="never"),
            (*_SERVED, *_ALL),
            "neon",
            **stock,
        ),
    ]


def _roles() -> list[Case]:
    """What is made over SQL: a statement is held, or its answer. Each role and right is a transaction of its own."""
    web = "tenant_acme__web"
    role, login = f"* create role*{web}__rw*", f"* create role*{web}__login_a*"
    grant = f"* grant *{web}__rw* to *"
    points: list[tuple[Where, str, str, str, tuple[Victim, ...]]] = [
        ("between project and roles", "group-role", role, "before", _SQL),
        ("between password and grant", "login-done", login, "after", ("engine",)),
        ("between password and grant", "membership", grant, "before", ("engine", "postgres")),
        ("between password and grant", "password", _PASSWORD, "before", (*_SERVED, *_SQL)),
        ("between password and grant", "password-done", _PASSWORD, "after", ("group", "provider")),
        ("in the database", "database", "* create database *", "before", _SQL),
        (
            "in the database",
            "database-done",
            "* create database *",
            "after",
            ("engine", "provider"),
        ),
        ("in the database", "schema-done", "* create schema *", "after", ("engine", "postgres")),
        (
            "in the database",
            "rights",
            "* alter default privileges*",
            "after",
            ("group", "postgres"),
        ),
    ]
    found: list[Case] = []
    for where, what, match, when, victims in points:
        found += _at(
            where, what, scenarios.PROJECT, hold("postgres", match, when), victims, "postgresql"
        )
    # Whichever it is: a role, the database's schema, rights.
    found += _at(
        "in the database",
        "some-commit",
        scenarios.PROJECT,
        hold("postgres", _COMMIT, "after"),
        (*_SERVED, *_SQL),
        "postgresql",
        skip=_COMMITS,
    )
    found += _at(
        "answered, not in the state",
        "commit-answered",
        scenarios.PROJECT,
        hold("postgres", _COMMIT, "after"),
        _HERE,
        "postgresql",
        answered=True,
        skip=_COMMITS,
    )
    return found


def _rotation() -> list[Case]:
    found: list[Case] = []
    for scenario in (scenarios.ROTATION, scenarios.SECOND_ROTATION):
        for what, match, when, victims in (
            ("password", _PASSWORD, "before", _SQL),
            ("commit", _COMMIT, "before", ("group",)),
            ("commit-done", _COMMIT, "after", ("engine", "group", "provider")),
        ):
            found += _at(
                "in a rotation",
                what,
                scenario,
                hold("postgres", match, when),
                victims,
                "postgresql",
            )
    found += _at(
        "in a rotation",
        "commit-answered",
        scenarios.SECOND_ROTATION,
        hold("postgres", _COMMIT, "after"),
        _HERE,
        "postgresql",
        answered=True,
    )
    return found


def _records() -> list[Case]:
    """Migrations, the catalog, API keys: what the dynamic provider does."""
    create = "* create table more*"
    found = _at(
        "in a migration",
        "table",
        scenarios.SCHEMA,
        hold("postgres", create, "before"),
        _DYNAMIC,
        "dynamic",
    )
    found += _at(
        "in a migration",
        "table-done",
        scenarios.SCHEMA,
        hold("postgres", create, "after"),
        _DYNAMIC_HERE,
        "dynamic",
    )
    # A template is migrated by the command itself, and an operator's history by a process of its own.
    for what, when in (("template", "before"), ("template-done", "after")):
        found += _at(
            "in a migration",
            what,
            scenarios.TEMPLATE,
            hold("postgres", "* create table audit_logs*", when),
            ("command", "provider"),
            "dynamic",
        )
    found += _at(
        "in a catalog write",
        "service-row-done",
        scenarios.WHOLE,
        hold("postgres", "* insert into *services*", "after"),
        ("command",),
        "dynamic",
    )
    row, key = "* insert into *app_metadata*", "* insert into *api_keys*"
    found += _at(
        "in a catalog write",
        "app-row",
        scenarios.WHOLE,
        hold("postgres", row, "before"),
        ("command", "engine", "provider", "postgres"),
        "dynamic",
    )
    found += _at(
        "in a catalog write",
        "app-row-done",
        scenarios.WHOLE,
        hold("postgres", row, "after"),
        _DYNAMIC_HERE,
        "dynamic",
    )
    found += _at(
        "in a catalog write",
        "key-row-done",
        scenarios.KEY_ROTATION,
        hold("postgres", key, "after"),
        ("command", "engine", "provider", "cloud"),
        "dynamic",
    )
    found += _at(
        "in a catalog write",
        "key-answered",
        scenarios.KEY_ROTATION,
        hold("postgres", key, "after"),
        _HERE,
        "dynamic",
        answered=True,
    )
    return found


def _graphs() -> list[Case]:
    post = "POST /instances"
    lost = {"by_command": True, "creates_of_graphs": 2}
    create: list[tuple[str, Order, tuple[Victim, ...], dict[str, Any]]] = [
        (
            "create",
            hold("aura", post, "before", then="drop"),
            ("command", "group", "provider"),
            # The first is never done.
            {"by_command": True, "creates_of_graphs": 2},
        ),
        (
            "create-late",
            hold("aura", post, "before"),
            ("command", "engine", "group", "provider"),
            {"late": True, **lost},
        ),
        ("create-done", hold("aura", post, "after"), ("command", *_ALL), lost),
        ("create-answered", hold("aura", post, "after"), _HERE, {"answered": True, **lost}),
    ]
    found: list[Case] = []
    for what, order, victims, more in create:
        found += _at(
            "in a graph's create", what, scenarios.GRAPH, order, victims, "dynamic", **more
        )
    found += _at(
        "in a graph's wait",
        "wait",
        scenarios.GRAPH,
        hold("aura", "GET /instances/*", "before"),
        ("command", *_ALL),
        "dynamic",
    )
    found += _at(
        "in a resize",
        "graph-done",
        scenarios.GRAPH_RESIZE,
        hold("aura", "PATCH /instances/*", "after"),
        ("command", "engine", "provider", "cloud"),
        "dynamic",
    )
    found += _at(
        "in a deletion",
        "graph-done",
        scenarios.GRAPH_DELETION,
        hold("aura", "DELETE /instances/*", "after"),
        ("command", *_ALL),
        "dynamic",
    )
    return found


def _changes() -> list[Case]:
    """Deletion, replacement, branches and sizes of a project."""
    delete = "DELETE /projects/*"
    found: list[Case] = []
    for what, when, victims in (
        ("project", "before", ("group", "cloud")),
        ("project-done", "after", _ALL),
    ):
        found += _at(
            "in a deletion",
            what,
            scenarios.DELETION,
            hold("neon", delete, when, then="drop" if when == "before" else "go"),
            victims,
            "neon",
        )
    found += _at(
        "in a replacement",
        "deleted",
        scenarios.REPLACEMENT,
        hold("neon", delete, "after"),
        ("engine", "group", "provider"),
        "neon",
    )
    found += _at(
        "in a replacement",
        "made",
        scenarios.REPLACEMENT,
        hold("neon", "POST /projects", "after"),
        ("engine", "provider", "cloud"),
        "neon",
        stock="a second successor is made",
    )
    for what, match in (
        ("branch", "POST /projects/*/branches"),
        ("compute", "POST /projects/*/endpoints"),
    ):
        found += _at(
            "in a branch",
            f"{what}-done",
            scenarios.BRANCH,
            hold("neon", match, "after"),
            _ALL if what == "branch" else ("engine", "group", "provider"),
            "neon",
            stock="the next run makes it again, which Neon refuses",
        )
    for what, match in (
        ("project", "PATCH /projects/*"),
        ("compute", "PATCH /projects/*/endpoints/*"),
    ):
        found += _at(
            "in a resize",
            f"{what}-done",
            scenarios.RESIZE,
            hold("neon", match, "after"),
            ("engine", "provider", "cloud"),
            "neon",
        )
    return found


def _renaming() -> list[Case]:
    """An app gets another id: each resource leaves its name behind in the state, and some are changed in the clouds."""
    found: list[Case] = []
    points: list[tuple[str, Order, tuple[Victim, ...], Role]] = [
        # The component has its new name by now, and little else has.
        ("project", hold("neon", "PATCH /projects/*", "before", then="drop"), ("engine", "group"), "neon"),
        ("project-done", hold("neon", "PATCH /projects/*", "after"), _ALL, "neon"),
        ("graph-done", hold("aura", "PATCH /instances/*", "after"), ("group", "provider"), "dynamic"),
        ("row", hold("postgres", "* update *app_metadata*", "before"), _DYNAMIC, "dynamic"),
        ("row-done", hold("postgres", "* update *app_metadata*", "after"), _HERE, "dynamic"),
        # The app's row has the new id by now, and what belongs to the app was not written yet.
        ("key-row", hold("postgres", "* insert into *api_keys*", "before"), ("engine", "provider"), "dynamic"),
        ("key-row-done", hold("postgres", "* insert into *api_keys*", "after"), ("engine", "group"), "dynamic"),
    ]  # fmt: skip
    for what, order, victims, provider in points:
        found += _at("in a renaming", what, scenarios.RENAMING, order, victims, provider)
    return found


def _faults() -> list[Case]:
    """Answers that go wrong while all live on."""

    def case(where: Where, what: str, scenario: Scenario, *orders: Order, **more: Any) -> Case:
        return Case(where, what, scenario, orders, **more)

    post, look = "POST /projects", "GET /projects"
    password = "GET /projects/*/branches/*/roles/*/reveal_password"
    # Only then is the password read: a create's answer has it.
    lost = once("neon", post, kind="drop", when="after")
    plain, twice = scenarios.PROJECT, "a second project is made"
    return [
        case("lost answers", "project", plain, once("neon", post, kind="drop", when="after"), stock=twice),
        case("lost answers", "project-unsent", plain, once("neon", post, kind="drop", when="before")),
        case("lost answers", "branch", scenarios.BRANCH, once("neon", "POST /projects/*/branches", kind="drop", when="after")),
        case("lost answers", "compute", scenarios.BRANCH, once("neon", "POST /projects/*/endpoints", kind="drop", when="after")),
        case("lost answers", "resize", scenarios.RESIZE, once("neon", "PATCH /projects/*", kind="drop", when="after")),
        case("lost answers", "deletion", scenarios.DELETION, once("neon", "DELETE /projects/*", kind="drop", when="after")),
        case("lost answers", "graph", scenarios.GRAPH, once("aura", "POST /instances", kind="drop", when="after"), by_command=True, creates_of_graphs=2),
        case("lost answers", "graph-look", scenarios.GRAPH, once("aura", "GET /instances/*", kind="drop", count=2), converges=True),
        case("lost answers", "role", plain, once("postgres", "* create role*", kind="drop", when="after")),
        case("lost answers", "database", plain, once("postgres", "* create database *", kind="drop", when="after")),
        case("lost answers", "migration", scenarios.SCHEMA, once("postgres", "* create table more*", kind="drop", when="after")),
        case("lost answers", "look-up", plain, once("neon", look, kind="drop"), converges=True),
        case("lost answers", "reads", plain, once("neon", "GET /projects/**", kind="drop", count=2), converges=True),
        case("errors after the work", "project-500", plain, once("neon", post, kind="status", status=500, when="after"), stock=twice),
        case("errors after the work", "project-503", plain, once("neon", post, kind="status", status=503, when="before"), converges=True, stock="the run fails where another attempt would do"),
        case("errors after the work", "project-502", plain, once("neon", post, kind="status", status=502, when="after", body="<html>bad gateway</html>"), stock=twice),
        case("errors after the work", "password", plain, lost, once("neon", password, kind="status", status=500), converges=True, stock=twice),
        case("errors after the work", "graph-500", scenarios.GRAPH, once("aura", "POST /instances", kind="status", status=500, when="after"), by_command=True, creates_of_graphs=2),
        case("rate limits", "project-429", plain, once("neon", post, kind="status", status=429, count=2, headers={"Retry-After": "1"}), converges=True),
        case("rate limits", "locked-423", scenarios.BRANCH, once("neon", "POST /projects/*/**", kind="status", status=423, count=2), converges=True),
        case("rate limits", "storm", scenarios.TWO, {**once("neon", "* /**", count=None, kind="status", status=429, headers={"Retry-After": "0"}), "probability": 0.3}, converges=True, stock=twice),
        case("rate limits", "graph-429", scenarios.GRAPH, once("aura", "POST /instances", kind="status", status=429, headers={"Retry-After": "1"}), converges=True),
        case("broken answers", "project-truncated", plain, once("neon", post, kind="truncate", bytes=40), stock=twice),
        case("broken answers", "project-html", plain, once("neon", post, kind="content_type", value="text/html")),
        case("broken answers", "read-truncated", plain, lost, once("neon", password, kind="truncate", bytes=20)),
        case("broken answers", "drip", plain, once("neon", post, kind="drip", seconds=3), converges=True),
        case("broken answers", "graph-truncated", scenarios.GRAPH, once("aura", "POST /instances", kind="truncate", bytes=30), by_command=True, creates_of_graphs=2),
        case("failing operations", "start-failed", plain, once("neon", post, kind="operation", action="start_compute", outcome="failed"), must_fail=True, stock="the failure passes in silence"),
        case("failing operations", "timeline-failed", plain, once("neon", post, kind="operation", action="create_timeline", outcome="failed"), must_fail=True, by_command=True, creates_of_projects=2, stock="the failure passes in silence"),
        case("failing operations", "branch-failed", scenarios.BRANCH, once("neon", "POST /projects/*/branches", kind="operation", outcome="failed"), must_fail=True, by_command=True, stock="the failure passes in silence"),
        case("failing operations", "never", plain, once("neon", post, kind="operation", outcome="never"), must_fail=True, environment={"NEON_OPERATION_SECONDS": "3"}, stock="it polls without end"),
        case("sleeping computes", "no-wake", scenarios.ROTATION, once("postgres", "* connect", kind="no_wake", count=2), asleep=True),
        case("sleeping computes", "no-wake-migration", scenarios.SCHEMA, once("postgres", "* connect", kind="no_wake"), asleep=True),
        case("refused connections", "refuse", plain, once("postgres", "* connect", kind="refuse", count=2)),
        case("refused connections", "full", plain, once("postgres", "* connect", kind="too_many_connections", count=2)),
        case("refused connections", "full-migration", scenarios.SCHEMA, once("postgres", "* connect", kind="too_many_connections", count=1)),
        case("refused connections", "restart", scenarios.WHOLE, once("postgres", "* create database *", kind="die")),
    ]  # fmt: skip


def matrix() -> list[Case]:
    """All cases, in a fixed order."""
    cases = [
        *_project(),
        *_roles(),
        *_rotation(),
        *_records(),
        *_graphs(),
        *_changes(),
        *_renaming(),
        *_faults(),
    ]
    names = [case.id for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    return cases
