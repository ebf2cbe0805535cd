"""What `split` and `join` have in common: find the big stack; show, ask, move and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.moves import moving, print_move, print_moves
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tenantry.commands.fleet.options import Moving
    from tenantry.fleet.moves import Move, Moves
    from tenantry.fleet.project import Project
    from tenantry.states.store import Store

PENDING = 2
"""The exit code where something would be moved."""


class Plan(Protocol):
    """`plan_split` or `plan_join` of `tenantry.fleet.moves`."""

    def __call__(
        self,
        project: Project,
        states: Store,
        stack: str,
        *,
        only: Collection[str],
        tenants: Collection[str],
    ) -> Moves:
        """Say what would be moved."""


def move(
    wanted: Moving,
    stack: str,
    plan: Plan,
    act: Callable[[Project, Store, Moves, Callable[[Move], None]], Moves],
) -> None:
    """Show what would be moved, or ask and move it.

    :param stack: the big stack's name; by default the one that is selected
    """
    from tenantry.fleet.project import Project
    from tenantry.running.stack import selected

    with one_line_errors():
        project = Project.open(Path.cwd(), registry=wanted.registry)
        stack = stack or selected(project.environment)
        only, tenants = set(wanted.only or ()), set(wanted.tenant or ())
        planned = plan(project, project.store, stack, only=only, tenants=tenants)
        if wanted.dry_run or not planned.moves:
            print_moves(planned, as_json=wanted.as_json, done=False)
            raise typer.Exit(PENDING if planned.moves else 0)
        if not wanted.yes:
            for line in planned.notes:
                note(line)
            agree_to_begin(moving(planned), "Move", otherwise="nothing was moved")
        done = act(project, project.store, planned, print_move)
        print_moves(done, as_json=wanted.as_json, done=True)
