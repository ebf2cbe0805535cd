"""The plan of any number of previews: one of the current stack, or one of each stack of a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.planning.digests import change_digests, registry_digests, state_digests
from tenantry.planning.plan import Counts, Digests, Plan, Stack
from tenantry.planning.translating import in_order, other_warnings, refusals_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tenantry.planning.events import Run
    from tenantry.planning.plan import Row


def plan_of(previews: Sequence[Run], *, program: str, allowed: Collection[str] = ()) -> Plan:
    """Make the plan: the same previews give the same plan, in whatever order they come.

    :param previews: what the engine said of each stack
    :param program: the digest of the program that they ran (`digests.program_digest`)
    :param allowed: apps that may leave or be replaced beside others
    """
    runs = sorted(previews, key=lambda run: run.stack)
    warnings = dict.fromkeys(line for run in runs for line in other_warnings(run))
    refusals = tuple(refusal for run in runs for refusal in refusals_of(run))
    if refusals:
        return Plan(summary=Counts(), rows=(), refusals=refusals, warnings=tuple(warnings))
    by_stack = {run.stack: rows_of(run) for run in runs}
    rows = in_order(row for each in by_stack.values() for row in each)
    return Plan(
        summary=_summary(runs, rows),
        rows=rows,
        warnings=tuple(warnings),
        allowed=tuple(sorted(allowed)),
        stacks=tuple(_stack(run, by_stack[run.stack], program) for run in runs),
    )


def _summary(runs: Sequence[Run], rows: Sequence[Row]) -> Counts:
    changed = {(row.stack, row.app) for row in rows}
    kept = [
        step
        for run in runs
        for step in run.apps
        if step.new is not None and (run.stack, step.app) not in changed
    ]
    number = {
        action: sum(1 for row in rows if row.app is not None and row.action == action)
        for action in ("create", "update", "replace", "delete")
    }
    return Counts(**number, unchanged=len(kept))


def _stack(run: Run, rows: Sequence[Row], program: str) -> Stack:
    registry = registry_digests(run)
    return Stack(
        name=run.stack,
        selection=tuple(sorted(registry)),
        digests=Digests(
            registry=registry,
            program=program,
            state=state_digests(run),
            changes=change_digests(rows),
        ),
    )
