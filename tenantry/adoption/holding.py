"""Which stack holds an app or a project, over all stacks of the backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenantry.clouds.neon import NEON
from tenantry.states.apps import applied_in

if TYPE_CHECKING:
    from tenantry.recovery.looking import Looker
    from tenantry.registry.applied import AppliedApp
    from tenantry.states.state import StackState


@dataclass(frozen=True)
class Holder:
    """A stack that holds an app."""

    stack: str
    project: str
    """The id of the app's project; empty where it was not made yet."""
    applied: AppliedApp | None
    """What was in force; None where its first run did not reach its end."""
    alone: bool
    """Whether the stack holds no other app."""


def holder_of(looker: Looker, states: list[StackState], app_id: str) -> Holder | None:
    """Find the stack that holds an app; None where none does."""
    for state in states:
        if app_id not in state.apps:
            continue
        applied = applied_in(looker.store.state(state.stack))
        return Holder(
            stack=state.stack,
            project=next((each.id for each in state.of(NEON) if each.target == app_id), ""),
            applied=next((each for each in applied if each.id == app_id), None),
            alone=state.apps == (app_id,),
        )
    return None
