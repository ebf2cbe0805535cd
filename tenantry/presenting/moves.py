"""Apps that go from one stack to another, on standard output."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from tenantry.presenting.notes import note
from tenantry.presenting.printing import print_json, print_table

if TYPE_CHECKING:
    from tenantry.fleet.moves import Move, Moves


def moving(planned: Moves) -> str:
    """Say how many apps go where, for the question before a move."""
    direction = "from" if planned.operation == "split" else "into"
    return f"{len(planned.moves)} apps {direction} stack {planned.stack}"


def print_move(move: Move) -> None:
    """Say on standard error that an app was moved."""
    note(f"{move.app}: {move.source} -> {move.target}")


def print_moves(moves: Moves, *, as_json: bool, done: bool) -> None:
    """Print what would be moved, or was.

    :param done: it was
    """
    if as_json:
        print_json({**asdict(moves), "done": done and bool(moves.moves)})
        return
    if moves.moves and not done:
        rows = [
            [each.app, each.source, each.target, str(each.resources), each.standing]
            for each in moves.moves
        ]
        print_table(["app", "from", "to", "resources", ""], rows)
    for line in moves.notes:
        note(line)
    stays = f", {len(moves.stays)} stay in {moves.stack}" if moves.stays else ""
    if not moves.moves:
        print(f"{moves.operation}: nothing to move{stays}")
    else:
        print(f"{moves.operation}: {len(moves.moves)} {'moved' if done else 'to move'}{stays}")
    if moves.backup:
        print(f"the states of before: {moves.backup}")
