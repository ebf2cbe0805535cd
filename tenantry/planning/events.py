"""The engine's events of one run over one stack, read into what the run does to each resource.

The engine puts `[secret]` in the place of every secret, and a fixed mark in the place of what is known only once it is
applied (`tenantry.running.events` says where the events come from).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from tenantry.registry import tokens
from tenantry.running.events import app_of, name_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Operation: TypeAlias = Literal["create", "update", "replace", "delete", "same"]
Properties: TypeAlias = dict[str, Any]

_REPLACING: Final = frozenset({"replace", "create-replacement", "delete-replaced"})
_OPERATIONS: Final[dict[str, Operation]] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
}
_CONSEQUENCE: Final = "an unhandled error occurred: "
"""How the engine begins when it repeats what the program has said."""


@dataclass(frozen=True)
class State:
    """A resource before or after a step."""

    id: str
    inputs: Properties
    outputs: Properties
    protect: bool
    retain: bool


@dataclass(frozen=True)
class Resource:
    """A resource, and all that a run does to it."""

    urn: str
    type: str
    name: str
    custom: bool
    """False for a component, which exists in no cloud."""
    operation: Operation
    old: State | None
    new: State | None
    differing: tuple[str, ...]
    """The properties that a provider named; it need not name any."""

    @property
    def app(self) -> str | None:
        """The id of the app that the resource belongs to; None for the stack's own."""
        return app_of(self.urn)


@dataclass(frozen=True)
class Run:
    """What the engine said of one run over one stack."""

    stack: str
    config: Mapping[str, str]
    """The stack's settings; a secret reads `[secret]`."""
    resources: tuple[Resource, ...]
    """By URN; also those of resources that stay as they are."""
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    """What the program and the providers say is wrong."""
    succeeded: bool
    broken: bool
    """True if the engine or a plugin failed: then nobody has judged anything."""

    @property
    def apps(self) -> tuple[Resource, ...]:
        """The apps' own components."""
        return tuple(step for step in self.resources if step.type == tokens.TENANT_APP)


@dataclass
class _Told:
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
    resources: dict[str, _Told] = {}
    config: dict[str, str] = {}
    warnings: dict[str, None] = {}
    errors: dict[str, None] = {}
    succeeded = False
    judged = False
    for event in events:
        if prelude := event.get("preludeEvent"):
            config = dict(prelude.get("config") or {})
        elif said := event.get("diagnosticEvent"):
            text = plain(said.get("message", "")).strip()
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
    found = [_resource(urn, told) for urn, told in sorted(resources.items())]
    return Run(
        stack=next((urn.split("::")[0].rpartition(":")[2] for urn in resources), stack),
        config=config,
        resources=tuple(each for each in found if each is not None),
        warnings=tuple(warnings),
        errors=tuple(errors),
        succeeded=succeeded,
        broken=bool(errors) and not judged,
    )


def _begin(resources: dict[str, _Told], facts: dict[str, Any]) -> None:
    resource = resources.setdefault(facts["urn"], _Told())
    resource.facts = facts
    resource.operations.append(facts["op"])
    # A replacement comes as several steps, and each tells a part of it.
    resource.old = facts.get("old") or resource.old
    resource.new = facts.get("new") or resource.new
    resource.differing |= dict.fromkeys([*(facts.get("diffs") or ()), *(facts.get("keys") or ())])


def _end(resources: dict[str, _Told], facts: dict[str, Any]) -> None:
    resource = resources.setdefault(facts["urn"], _Told())
    resource.facts = resource.facts or facts
    resource.result = facts["op"]
    if facts.get("new") or "refresh" in resource.operations:
        resource.new = facts.get("new")
    resource.differing |= dict.fromkeys(facts.get("diffs") or ())


def _resource(urn: str, resource: _Told) -> Resource | None:
    # A refresh tells by its result what differs. Where steps follow it, they tell what is done.
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
    return Resource(
        urn=urn,
        type=resource.facts["type"],
        name=name_of(urn),
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
