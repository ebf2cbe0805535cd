"""The plan of one stack or of a fleet, from what the engine said of each stack and what is known without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.planning.digests import change_digests, registry_digests, state_digests
from tenantry.planning.plan import Counts, Digests, Plan, Stack
from tenantry.planning.translating import in_order, other_warnings, refusals_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tenantry.planning.events import Run
    from tenantry.planning.plan import Row


def plan_of(runs: Sequence[Run], *, program: str, allowed: Collection[str] = ()) -> Plan:
    """Make the plan of these stacks: the same previews give the same plan, in whatever order they come.

    One refusal is of the whole run: then there is nothing else in it.

    :param runs: the preview of each stack
    :param program: the digest of the program that they ran (`digests.program_digest`)
    :param allowed: apps that may leave or be replaced beside others
    """
    if any(refusals_of(run) for run in runs):
        return make_plan(runs, ())
    rows = [row for run in runs for row in rows_of(run)]
    stacks = [_stack(run, program) for run in sorted(runs, key=lambda run: run.stack)]
    return make_plan(runs, rows, allowed=allowed, stacks=stacks, unchanged=_kept(runs, rows))


def make_plan(
    runs: Collection[Run],
    rows: Sequence[Row],
    *,
    allowed: Collection[str] = (),
    stacks: Sequence[Stack] = (),
    unchanged: int = 0,
) -> Plan:
    """Put a plan together.

    :param runs: the previews, for what they refuse and warn of
    :param rows: what changes
    :param stacks: what the plan is made of, but for the digests of its changes
    :param unchanged: how many apps stay as they are
    """
    in_turn = sorted(runs, key=lambda run: run.stack)
    refusals = dict.fromkeys(each for run in in_turn for each in refusals_of(run))
    warnings = dict.fromkeys(line for run in in_turn for line in other_warnings(run))
    counts = {
        action: sum(row.app is not None and row.action == action for row in rows)
        for action in ("create", "update", "replace", "delete")
    }
    return Plan(
        summary=Counts(**counts, unchanged=unchanged),
        rows=in_order(rows),
        refusals=tuple(refusals),
        warnings=tuple(warnings),
        allowed=tuple(sorted(allowed)),
        stacks=tuple(
            with_changes(each, change_digests(row for row in rows if row.stack == each.name))
            for each in stacks
        ),
    )


def with_changes(stack: Stack, changes: Mapping[str, str]) -> Stack:
    """Return a stack with the digests of its changes."""
    digests = stack.digests.model_copy(update={"changes": dict(changes)})
    return stack.model_copy(update={"digests": digests})


def _kept(runs: Collection[Run], rows: Collection[Row]) -> int:
    changed = {(row.stack, row.app) for row in rows}
    return sum(
        each.new is not None and (run.stack, each.app) not in changed
        for run in runs
        for each in run.apps
    )


def _stack(run: Run, program: str) -> Stack:
    registry = registry_digests(run)
    return Stack(
        name=run.stack,
        selection=tuple(sorted(registry)),
        digests=Digests(registry=registry, program=program, state=state_digests(run), changes={}),
    )
