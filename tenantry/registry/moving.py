"""Apps that were moved from one stack to another: two stacks that hold one app would work against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tenantry.registry.names import own_stack
from tenantry.registry.transition import TransitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tenantry.registry.applied import AppliedApp
    from tenantry.registry.models import App

MOVED: Final = "moved"
"""The output of a stack that names the apps which were moved out of it, each with the stack that has it now."""


def moved_apps(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the apps that were moved out of a stack, each with the stack that has it now.

    An app that the stack still holds is on its way: its move was cut off.

    :param stack: the outputs of the stack itself
    """
    return dict(stack.get(MOVED) or {})


def without_moved(
    applied: Iterable[AppliedApp],
    selected: Sequence[App],
    moved: Mapping[str, str],
    registry: Path,
    *,
    stack: str,
    everything: bool,
) -> Sequence[App]:
    """Leave out the apps that were moved to another stack.

    :param applied: what the stack holds now
    :param selected: what it is to hold
    :param moved: by app, the stack that it was moved to
    :param registry: the registry's file, for the message
    :param stack: this stack
    :param everything: whether all apps were selected, and nobody named them
    :raises TransitionError: a move was cut off, or somebody names an app that was moved
    """
    if between := {app.id: moved[app.id] for app in applied if app.id in moved}:
        raise TransitionError(f"{registry}: {cut_off(stack, between)}")
    twice = [app.id for app in selected if app.id in moved]
    if twice and not everything:
        raise TransitionError(
            f"{registry}: {', '.join(twice)} {'was' if len(twice) == 1 else 'were'} moved out of this stack (to {moved[twice[0]]}): nothing was "
            f"changed. Take it out of tenantry:apps, or back into this stack: tenantry fleet join --app {twice[0]} --into {stack}"
        )
    return [app for app in selected if app.id not in moved]


def cut_off(stack: str, between: Mapping[str, str]) -> str:
    """Say that a move did not come to its end, and what ends it.

    :param stack: the stack that apps were on their way out of
    :param between: by app, the stack that it was on its way to
    """
    app, to = next(iter(sorted(between.items())))
    own = own_stack(app)
    if stack == own and "--" in to:
        return f"renaming stack {stack} of {app} to {to} was cut off: nothing was changed. Go on with tenantry fleet up"
    command = (
        f"tenantry fleet join --into {to}" if to != own else f"tenantry fleet split --from {stack}"
    )
    return (
        f"moving {app}{f' and {len(between) - 1} more' if len(between) > 1 else ''} from stack {stack} to {to} was cut off: nothing was "
        f"changed. Go on with {command}"
    )
