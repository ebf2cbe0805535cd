"""What a run does at the moment, from the engine's events as they come. Pure, but for the clock that it is given.

The events are those of `--event-log`: one JSON object each (Pulumi, `sdk/go/common/apitype/events.go`). The engine puts
`[secret]` in the place of every secret.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Operation: TypeAlias = Literal["create", "update", "delete"]

"""What the types of connections to a cloud begin with."""

_OPERATIONS: Final[Mapping[str, Operation]] = {
    "create": "create",
    "create-replacement": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "delete-replaced": "delete",
}
"""What the engine does to one resource; `replace` itself is only the sum of two of them."""
_APP_STEPS: Final = 2
"""An app's id is `tenant/app`; the names of all that belongs to it begin with it."""
_BOOKKEEPING: Final = frozenset({"same", "read", "discard", "refresh"})
"""What the engine counts, and nobody calls a change."""
_CONSEQUENCES: Final = (
    "an unhandled error occurred: ",
    "update failed",
    "update canceled",
    "preview failed",
    "resource registration failed",
)
"""What the engine adds to what was said before."""


@dataclass(frozen=True)
class Work:
    """Something to be done to one resource."""

    urn: str
    type: str
    operation: Operation

    @property
    def name(self) -> str:
        """The resource's name, which begins with its app's id."""
        return name_of(self.urn)

    @property
    def kind(self) -> str:
        """The last word of its type: `Project`, `Role`."""
        return self.type.rsplit(":", 1)[-1]

    @property
    def app(self) -> str | None:
        """The id of the app that it belongs to; None for what the stack has beside its apps."""
        return app_of(self.urn)


@dataclass(frozen=True)
class Step:
    """The engine begins or ends work."""

    work: Work
    state: Literal["begun", "done", "failed"]
    seconds: float = 0.0
    """How long it took; 0 where it begins."""


@dataclass(frozen=True)
class Said:
    """The engine, the program or a provider says something."""

    severity: Literal["error", "warning", "info"]
    text: str


@dataclass
class Watch:
    """What was begun, done and is left of a run."""

    expected: tuple[Work, ...] = ()
    """What a preview said; more may come, and some of it may turn out to be nothing."""
    clock: Callable[[], float] = time.monotonic
    counts: Counter[str] = field(default_factory=Counter)
    """How many resources had each operation to its end."""
    failed: list[Work] = field(default_factory=list)
    took: dict[Work, float] = field(default_factory=dict)
    """Seconds of what is done."""
    errors: list[str] = field(default_factory=list)
    """What the engine, the program and the providers said is wrong, without what only follows from it."""
    warnings: list[str] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    """The engine's own count at the end: resources by operation, also of what nobody would name."""
    ended: bool = False
    """False if the engine crashed before its summary."""
    _begun: dict[Work, float] = field(default_factory=dict)
    _since: float | None = None

    def __post_init__(self) -> None:
        """Begin to count the time."""
        self._since = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.clock() - (self._since or 0.0)

    @property
    def in_flight(self) -> list[tuple[Work, float]]:
        """What is being done now and for how many seconds, the oldest first."""
        now = self.clock()
        # A copy: a terminal's line is drawn by another thread.
        return [(work, now - since) for work, since in list(self._begun.items())]

    @property
    def left(self) -> list[Work]:
        """What the preview named and was not done to its end."""
        return [work for work in self.expected if work not in self.took]

    def take(self, event: Mapping[str, Any]) -> Step | Said | None:
        """Take one event of the engine; return None where it is not to be told."""
        if begun := event.get("resourcePreEvent"):
            return self._begin(begun["metadata"])
        if done := event.get("resOutputsEvent"):
            return self._end(done["metadata"], failed=False)
        if failed := event.get("resOpFailedEvent"):
            return self._end(failed["metadata"], failed=True)
        if diagnostic := event.get("diagnosticEvent"):
            return self._say(diagnostic)
        if summary := event.get("summaryEvent"):
            self.ended = True
            counts = summary.get("resourceChanges") or {}
            self.changes = Counter(
                {each: int(number) for each, number in counts.items() if each not in _BOOKKEEPING}
            )
        return None

    def _begin(self, facts: Mapping[str, Any]) -> Step | None:
        work = _work(facts)
        if work is None:
            return None
        self._begun[work] = self.clock()
        return Step(work, "begun")

    def _end(self, facts: Mapping[str, Any], *, failed: bool) -> Step | None:
        work = _work(facts)
        since = None if work is None else self._begun.pop(work, None)
        if work is None or since is None:
            return None
        seconds = self.clock() - since
        if failed:
            self.failed.append(work)
            return Step(work, "failed", seconds)
        self.took[work] = seconds
        self.counts[work.operation] += 1
        return Step(work, "done", seconds)

    def _say(self, diagnostic: Mapping[str, Any]) -> Said | None:
        text = plain(str(diagnostic.get("message") or "")).strip()
        severity = str(diagnostic.get("severity") or "").partition("#")[0]
        if not text or diagnostic.get("ephemeral") or severity not in {"error", "warning", "info"}:
            return None
        if severity == "error":
            if any(each in text for each in _CONSEQUENCES):
                return None
            self.errors.append(text)
            return Said("error", text)
        if severity == "warning":
            self.warnings.append(text)
            return Said("warning", text)
        return Said("info", text)


def name_of(urn: str) -> str:
    """Return a resource's name."""
    return urn.split("::", 3)[-1]


def app_of(urn: str) -> str | None:
    """Return the id of the app that a resource belongs to; None for what the stack has beside its apps."""
    types = urn.split("::")[2] if urn.count("::") > 1 else ""
    if not {tokens.TENANT_APP, tokens.USER_GRAPH}.intersection(types.split("$")):
        return None
    return "/".join(name_of(urn).split("/")[:_APP_STEPS])


def is_known(type_: str, *, custom: bool) -> bool:
    """Tell whether a resource is something that a person knows: no component, no connection to a cloud."""
    return custom and type_ != tokens.STACK and not type_.startswith(tokens.PROVIDERS)


def plain(text: str) -> str:
    """Take the marks for colors out of the engine's text: `<{%fg 1%}>`, for a terminal to put in."""
    first, *parts = text.split("<{%")
    return first + "".join(part.partition("%}>")[2] for part in parts)


def by_app(works: Iterable[Work]) -> dict[str, list[Work]]:
    """Sort work by the app that it belongs to; "" for what the stack has beside its apps."""
    found: dict[str, list[Work]] = {}
    for work in works:
        found.setdefault(work.app or "", []).append(work)
    return found


def _work(facts: Mapping[str, Any]) -> Work | None:
    state = facts.get("new") or facts.get("old") or {}
    operation = _OPERATIONS.get(str(facts.get("op")))
    type_ = str(facts.get("type"))
    if operation is None or not is_known(type_, custom=bool(state.get("custom"))):
        return None
    return Work(str(facts["urn"]), type_, operation)
