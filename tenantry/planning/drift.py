"""What was changed in the clouds behind the state's back, as one document: `tenantry drift --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from tenantry.planning.errors import PlanError
from tenantry.planning.plan import PropertyChange  # noqa: TC001  # pydantic reads it at run time
from tenantry.planning.properties import differing, property_changes
from tenantry.planning.resources import PROVIDERS, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.planning.events import Run, Step


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


class Drift(_Part):
    """What differs, sorted by app, kind and name."""

    version: Literal[1] = 1
    kind: Literal["tenantry.drift"] = "tenantry.drift"
    compared: int
    """Resources that were looked at."""
    differences: tuple[Difference, ...]

    @property
    def headline(self) -> str:
        """What was found, in one sentence."""
        if not self.differences:
            return f"No drift: {self.compared} resources are as the state has them."
        return f"Drift: {len(self.differences)} of {self.compared} resources are not as the state has them."

    @property
    def exit_code(self) -> int:
        """0 nothing differs, 3 something does."""
        return 3 if self.differences else 0


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
        for step in run.steps
        if step.custom and not step.type.startswith(PROVIDERS)
    ]
    found = [_difference(stack, step) for stack, step in steps if step.operation != "same"]
    return Drift(
        compared=len(steps),
        differences=tuple(
            sorted(found, key=lambda each: (each.app or "", each.kind, each.name, each.stack))
        ),
    )


def _difference(stack: str, step: Step) -> Difference:
    before, after = step.old, step.new
    changes: list[PropertyChange] = []
    if before and after:
        # Inputs first: outputs tell the same once more, and what nobody asked for.
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
