"""What `split` and `join` have in common: the stack that they are about; show, ask, move and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.moves import moving, print_move, print_moves
from tenantry.presenting.notes import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.fleet.moves import Move, Moves
    from tenantry.fleet.project import Project

PENDING = 2
"""The exit code where something would be moved."""


def find_stack(registry: Path | None, stack: str) -> tuple[Project, str]:
    """Open the project of the current folder, and find the big stack.

    :param stack: its name; by default the one that is selected
    """
    from tenantry.fleet.project import Project
    from tenantry.running.stack import selected

    project = Project.open(Path.cwd(), registry=registry)
    return project, stack or selected(project.environment)


def carry_out(
    planned: Moves,
    act: Callable[[Callable[[Move], None]], Moves],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show what would be moved, or ask and move it."""
    if dry_run or not planned.moves:
        print_moves(planned, as_json=as_json, done=False)
        raise typer.Exit(PENDING if planned.moves else 0)
    if not yes:
        for line in planned.notes:
            note(line)
        agree_to_begin(moving(planned), "Move", otherwise="nothing was moved")
    print_moves(act(print_move), as_json=as_json, done=True)
