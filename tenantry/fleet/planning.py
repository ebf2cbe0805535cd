"""The plan of a fleet: what the engine says of each stack, and what is known without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.planning.fields import changes
from tenantry.planning.plan import Counts, Plan, Refusal, Row
from tenantry.planning.translating import in_order, other_warnings, refusals_of, rows_of
from tenantry.registry.declared import declared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tenantry.fleet.outlook import Outlook, Task
    from tenantry.planning.events import Run


def plan_of_fleet(outlook: Outlook, runs: Mapping[str, Run], allowed: Collection[str]) -> Plan:
    """Make the plan. What is refused to one app stops that app alone, so there are rows of the others beside it.

    :param runs: the preview of each app that has a stack, by the app's id
    """
    rows = [row for task in outlook.tasks for row in _rows(task, runs.get(task.app))]
    refusals = [each for run in runs.values() for each in refusals_of(run)]
    warnings = dict.fromkeys(line for run in runs.values() for line in other_warnings(run))
    touched = {row.app for row in rows} | {each.app for each in refusals}
    unchanged = len(outlook.unchanged) + sum(task.app not in touched for task in outlook.tasks)
    counts = {
        action: sum(row.app is not None and row.action == action for row in rows)
        for action in ("create", "update", "replace", "delete")
    }
    return Plan(
        summary=Counts(**counts, unchanged=unchanged),
        rows=in_order(rows),
        refusals=tuple(sorted(refusals, key=lambda each: (each.stack, each.text))),
        warnings=tuple(sorted(warnings)),
        allowed=tuple(sorted(allowed)),
    )


def refused_plan(outlook: Outlook) -> Plan:
    """Make the plan of a run that would be refused as a whole."""
    refusals = tuple(Refusal(stack="", app=None, text=text) for text in outlook.refused)
    return Plan(summary=Counts(), rows=(), refusals=refusals)


def _rows(task: Task, run: Run | None) -> tuple[Row, ...]:
    if run is not None:
        return rows_of(run)
    if task.inputs is None or task.purpose != "create":
        # Its preview did not come to an end, which is said elsewhere.
        return ()
    return (
        Row(
            stack=task.stack,
            app=task.app,
            action="create",
            resources=Counts(),
            changes=changes(None, declared(task.inputs.app)),
        ),
    )
