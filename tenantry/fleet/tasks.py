"""What is to be done about one stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tenantry.fleet.inputs import Inputs
    from tenantry.states.history import Update

Purpose = Literal["create", "update", "remove"]


@dataclass(frozen=True)
class Task:
    """One app's stack, or that of a user's graph, and what is to become of it."""

    app: str
    stack: str
    purpose: Purpose
    inputs: Inputs | None = None
    """None where the app left the registry."""
    update: Update | None = None
    """The last one; None where there was none."""
    deletion: str = ""
    """What was in force when an app that left was applied last."""
    source: str = ""
    """The stack that has the app under its id of before, and gets the name `stack`; empty where there is none."""
    user: str = ""
    """Of the graph of a user who signed up: whose it is. `app` is the graph's id then, `tenant/app/user`."""
    users: tuple[Task, ...] = ()
    """What is to be done in the stacks of the graphs of the app's users."""

    @property
    def held(self) -> str:
        """The stack that holds the app now."""
        return self.source or self.stack
