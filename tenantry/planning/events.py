"""The engine's events of one run over one stack, read into steps.

The events are those of `pulumi preview --json` with PULUMI_ENABLE_STREAMING_JSON_PREVIEW, of `--event-log`, and so of the
Automation API: one JSON object each (Pulumi, `sdk/go/common/apitype/events.go`). The engine puts `[secret]` in the place of
every secret, and a fixed mark in the place of what is known only once it is applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Operation: TypeAlias = Literal["create", "update", "replace", "delete", "same"]
Properties: TypeAlias = dict[str, Any]

APP_TYPE: Final = "tenantry:app:TenantApp"
STACK_TYPE: Final = "pulumi:pulumi:Stack"

_REPLACING: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_OPERATIONS: Final[dict[str, Operation]] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
}
_CONSEQUENCE: Final = "an unhandled error occurred: "
"""How the engine says once more what the program itself has said."""
_APP_STEPS: Final = 2
"""An app's id is `tenant/app`; the names of all that belongs to it begin with it."""


@dataclass(frozen=True)
class State:
    """A resource before or after a step."""

    id: str
    inputs: Properties
    outputs: Properties
    protect: bool
    retain: bool


@dataclass(frozen=True)
class Step:
    """All that a run does to one resource."""

    urn: str
    type: str
    name: str
    custom: bool
    """False for a component, which is nothing in a cloud."""
    operation: Operation
    old: State | None
    new: State | None
    differing: tuple[str, ...]
    """The properties that a provider named; it need not name any."""

    @property
    def app(self) -> str | None:
        """The id of the app that the resource belongs to; None for the stack's own."""
        if APP_TYPE not in self.urn.split("::")[2].split("$"):
            return None
        return "/".join(self.name.split("/")[:_APP_STEPS])


@dataclass(frozen=True)
class Run:
    """What the engine said of one run over one stack."""

    stack: str
    config: Mapping[str, str]
    """The stack's settings; a secret reads `[secret]`."""
    steps: tuple[Step, ...]
    """By URN; also those of resources that stay as they are."""
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    """What the program and the providers say is wrong."""
    succeeded: bool
    broken: bool
    """Whether it was the engine that failed, or a plugin under it: then nobody has judged anything."""

    @property
    def apps(self) -> tuple[Step, ...]:
        """The apps' own components."""
        return tuple(step for step in self.steps if step.type == APP_TYPE)


@dataclass
class _Resource:
    operations: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    result: str = ""
    differing: dict[str, None] = field(default_factory=dict)


def read_events(events: Iterable[Mapping[str, Any]], *, stack: str = "") -> Run:
    """Read the events of a preview, an update or a refresh.

    :param events: in the order in which the engine sent them
    :param stack: its name, for a run that ended before its first resource told it
    """
    resources: dict[str, _Resource] = {}
    config: dict[str, str] = {}
    warnings: dict[str, None] = {}
    errors: dict[str, None] = {}
    succeeded = False
    judged = False
    for event in events:
        if prelude := event.get("preludeEvent"):
            config = dict(prelude.get("config") or {})
        elif said := event.get("diagnosticEvent"):
            text = said.get("message", "").strip()
            if said.get("severity") == "warning":
                warnings[text] = None
            elif said.get("severity") == "error":
                # The program failed, or a provider refused a resource.
                judged = judged or _CONSEQUENCE in text or bool(said.get("urn"))
                if _CONSEQUENCE not in text:
                    errors[text] = None
        elif summary := event.get("summaryEvent"):
            succeeded = summary.get("result", "succeeded") == "succeeded"
        elif before := event.get("resourcePreEvent"):
            _begin(resources, before["metadata"])
        elif after := event.get("resOutputsEvent"):
            _end(resources, after["metadata"])
    steps = [_step(urn, resource) for urn, resource in sorted(resources.items())]
    return Run(
        stack=next((urn.split("::")[0].rpartition(":")[2] for urn in resources), stack),
        config=config,
        steps=tuple(step for step in steps if step is not None),
        warnings=tuple(warnings),
        errors=tuple(errors),
        succeeded=succeeded,
        broken=bool(errors) and not judged,
    )


def _begin(resources: dict[str, _Resource], facts: dict[str, Any]) -> None:
    resource = resources.setdefault(facts["urn"], _Resource())
    resource.facts = facts
    resource.operations.append(facts["op"])
    # The parts of a replacement come one by one, each with what it knows.
    resource.old = facts.get("old") or resource.old
    resource.new = facts.get("new") or resource.new
    resource.differing |= dict.fromkeys([*(facts.get("diffs") or ()), *(facts.get("keys") or ())])


def _end(resources: dict[str, _Resource], facts: dict[str, Any]) -> None:
    resource = resources.setdefault(facts["urn"], _Resource())
    resource.facts = resource.facts or facts
    resource.result = facts["op"]
    if facts.get("new") or "refresh" in resource.operations:
        resource.new = facts.get("new")
    resource.differing |= dict.fromkeys(facts.get("diffs") or ())


def _step(urn: str, resource: _Resource) -> Step | None:
    # A refresh that comes first says by its result what differs; what follows it is what is done.
    operations = [each for each in resource.operations if each != "refresh"] or [resource.result]
    if set(operations) <= {"read"}:
        return None
    operation: Operation = "same"
    if _REPLACING & set(operations):
        operation = "replace"
    else:
        operation = next(
            (_OPERATIONS[each] for each in reversed(operations) if each in _OPERATIONS), "same"
        )
    custom = bool((resource.new or resource.old or {}).get("custom"))
    return Step(
        urn=urn,
        type=resource.facts["type"],
        name=urn.split("::", 3)[3],
        custom=custom,
        operation=operation,
        old=_state(resource.old),
        new=_state(resource.new),
        differing=tuple(resource.differing),
    )


def _state(facts: dict[str, Any] | None) -> State | None:
    if not facts:
        return None
    return State(
        id=facts.get("id") or "",
        inputs=facts.get("inputs") or {},
        outputs=facts.get("outputs") or {},
        protect=bool(facts.get("protect")),
        retain=bool(facts.get("retainOnDelete")),
    )
