"""What a run tells while it goes on, and what it comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.fleet.failures import Kind

Outcome = Literal[
    "applied",
    "unchanged",
    "planned",
    "drifted",
    "removed",
    "given up",
    "failed",
    "busy",
    "stopped",
    "not started",
]
"""How an app ended.

- `applied`: something was changed; `unchanged`: there was nothing to change
- `planned`, `drifted`: something would be changed
- `removed`: the app and its stack are gone; `given up`: so they are, and the cloud's resources stay
- `failed`: see the reason; `busy`: another run holds the stack
- `stopped`: ended in the middle because the run was asked to stop; `not started`: for the same reason
"""

BAD: frozenset[Outcome] = frozenset({"failed", "busy", "stopped", "not started"})


@dataclass(frozen=True)
class Result:
    """How it ended for one app."""

    app: str
    stack: str
    outcome: Outcome
    seconds: float = 0.0
    """Of all its attempts, without the waits between them."""
    attempts: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    """How many resources had each operation: `{"create": 26}`."""
    reason: str = ""
    """One line, where it did not end well."""
    kind: Kind | Literal[""] = ""
    """What sort of reason that is."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Begun:
    """The run has looked at registry and states, and begins."""

    operation: str
    apps: int
    """How many it works on."""
    unchanged: int
    """How many need nothing."""
    workers: int
    notes: tuple[str, ...] = ()
    """What will be destroyed or given up, a line each, and what else is to be known before."""


@dataclass(frozen=True)
class Started:
    """An attempt at one app begins."""

    app: str
    stack: str
    attempt: int


@dataclass(frozen=True)
class Progress:
    """The engine begins or ends a step of one app."""

    app: str
    op: str
    resource: str
    """Kind and name: `Project acme/web`."""
    done: bool


@dataclass(frozen=True)
class Noted:
    """Something to know about one app: what an earlier run left behind and was settled, what is destroyed."""

    app: str
    text: str


@dataclass(frozen=True)
class Waiting:
    """An app is tried again later."""

    app: str
    seconds: float
    reason: str


@dataclass(frozen=True)
class Finished:
    """One app is through."""

    result: Result
    left: int
    """How many are not."""
    remaining: float | None
    """Seconds until the end, as far as the apps until now tell; None before the first."""


@dataclass(frozen=True)
class Summary:
    """What the run came to."""

    operation: str
    results: tuple[Result, ...]
    """Of each app that it worked on, in the order in which they ended."""
    unchanged: int
    """How many needed nothing, without the engine being asked."""
    seconds: float
    record: str = ""
    """The file that keeps all this; empty where nothing was begun."""
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Result, ...]:
        """Those that did not end well."""
        return tuple(each for each in self.results if each.outcome in BAD)

    def counts(self) -> dict[str, int]:
        """Count the apps by outcome."""
        found: dict[str, int] = {}
        for each in self.results:
            found[each.outcome] = found.get(each.outcome, 0) + 1
        if self.unchanged:
            found["unchanged"] = found.get("unchanged", 0) + self.unchanged
        return found


Event: TypeAlias = Begun | Started | Progress | Noted | Waiting | Finished | Summary


def as_json(event: Event) -> dict[str, Any]:
    """Give an event as a JSON object; `event` is its kind in lower case."""
    return {"event": type(event).__name__.lower(), **asdict(event)}
