"""What was changed in the clouds behind the state's back, as one document: `tenantry drift --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from tenantry.planning.errors import PlanError
from tenantry.planning.plan import PropertyChange  # noqa: TC001  # pydantic reads it at run time
from tenantry.planning.properties import differing, property_changes
from tenantry.planning.resources import kind_of
from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tenantry.planning.events import Resource, Run


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Difference(_Part):
    """A resource that is not as the state has it."""

    stack: str
    app: str | None
    """Null for what the stack has beside its apps."""
    kind: str
    """In words: `role`, `project`."""
    name: str
    """The resource's name, which begins with the app's id."""
    gone: bool
    properties: tuple[PropertyChange, ...] = ()
    """From what the state has to what was found."""

    @property
    def text(self) -> str:
        """The difference on one line."""
        if self.gone:
            return f"{self.kind} {self.name} is gone"
        said = "; ".join(each.text for each in self.properties) or "differs"
        return f"{self.kind} {self.name}: {said}"


class Stray(_Part):
    """A project or a graph that is ours by its name and that no state holds."""

    kind: Literal["orphan", "duplicate"]
    name: str
    """The app or the graph where the registry has it, its name in the cloud otherwise."""
    found: str
    """What it is, where it may come from."""
    command: str
    """What settles it."""

    @property
    def text(self) -> str:
        """The stray on one line."""
        return f"{self.kind} {self.name}: {self.found}: {self.command}"


class Drift(_Part):
    """What differs, sorted by app, kind and name."""

    version: Literal[1] = 1
    kind: Literal["tenantry.drift"] = "tenantry.drift"
    compared: int
    """Resources that were looked at."""
    differences: tuple[Difference, ...]
    strays: tuple[Stray, ...] = ()
    """Only where the clouds were asked for their lists (`tenantry fleet drift`)."""

    @property
    def headline(self) -> str:
        """What was found, in one sentence."""
        strays = f" {len(self.strays)} in the clouds that no state holds." if self.strays else ""
        if not self.differences:
            return f"No drift: {self.compared} resources are as the state has them.{strays}"
        return f"Drift: {len(self.differences)} of {self.compared} resources are not as the state has them.{strays}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What was found, a line for each."""
        differences = (each.text for each in self.differences)
        return (*differences, *(each.text for each in self.strays))

    @property
    def exit_code(self) -> int:
        """0 nothing differs, 3 something does."""
        return 3 if self.differences or self.strays else 0

    def and_deeper(self, deep: Drift) -> Drift:
        """Add what a look at each resource of some stacks found. Where both tell, that look counts."""
        told = {(each.stack, each.kind, each.name) for each in deep.differences}
        own = [each for each in self.differences if (each.stack, each.kind, each.name) not in told]
        return Drift(
            compared=self.compared + deep.compared,
            differences=in_order([*own, *deep.differences]),
            strays=self.strays,
        )


def drift_of(looks: Sequence[Run]) -> Drift:
    """Return what the engine found different in any number of stacks.

    :param looks: what it said of each (`previewing.look`)
    :raises PlanError: it failed over one of them, with a line for each failure
    """
    if failures := [text for run in looks for text in run.errors]:
        raise PlanError("\n".join(failures))
    steps = [
        (run.stack, step)
        for run in looks
        for step in run.resources
        if step.custom and not step.type.startswith(tokens.PROVIDERS)
    ]
    found = [_difference(stack, step) for stack, step in steps if step.operation != "same"]
    return Drift(
        compared=len(steps),
        differences=in_order(found),
    )


def in_order(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Sort by app, kind and name."""
    return tuple(
        sorted(differences, key=lambda each: (each.app or "", each.kind, each.name, each.stack))
    )


def _difference(stack: str, step: Resource) -> Difference:
    before, after = step.old, step.new
    changes: list[PropertyChange] = []
    if before and after:
        # Inputs first: outputs repeat them, and add what nobody asked for.
        for old, new in ((before.inputs, after.inputs), (before.outputs, after.outputs)):
            changes = changes or [
                change
                for name in differing(step, old, new)
                for change in property_changes(name, old.get(name), new.get(name))
            ]
    return Difference(
        stack=stack,
        app=step.app,
        kind=kind_of(step.type).word,
        name=step.name,
        gone=after is None,
        properties=tuple(changes),
    )
