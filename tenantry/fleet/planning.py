"""The plan of a fleet: what the engine says of each stack, and what is known without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from tenantry.planning.digests import declared_digest, deployment_digest, program_digest
from tenantry.planning.fields import changes
from tenantry.planning.keeping import moved
from tenantry.planning.making import make_plan, with_changes
from tenantry.planning.monthly import capacity
from tenantry.planning.plan import Counts, Digests, Plan, Refusal, Row, Stack
from tenantry.planning.translating import refusals_of, rows_of
from tenantry.registry.declared import declared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.tasks import Task
    from tenantry.planning.events import Run
    from tenantry.states.store import Store

_READERS: Final = 8


AGAIN: Final = "make it again with tenantry fleet plan --out"


def plan_of_fleet(
    outlook: Outlook,
    runs: Mapping[str, Run],
    allowed: Collection[str],
    stacks: Sequence[Stack] = (),
) -> Plan:
    """Make the plan. What is refused to one app stops that app alone, so there are rows of the others beside it.

    :param runs: the preview of each stack that is there, by its name
    :param stacks: what it is made of (`stacks_of`), where it is to be kept
    """
    rows = [row for task in outlook.tasks for row in _rows(task, runs)]
    refused = {each.app for run in runs.values() for each in refusals_of(run)}
    touched = {row.app for row in rows} | refused
    unchanged = len(outlook.unchanged) + sum(task.app not in touched for task in outlook.tasks)
    return make_plan(
        runs.values(),
        rows,
        allowed=allowed,
        stacks=() if refused else stacks,
        unchanged=unchanged,
    )


def stacks_of(outlook: Outlook, folder: Path, store: Store) -> list[Stack]:
    """Say what a run over these apps is made of, without the engine: declarations, program, what the stacks hold.

    :param folder: the folder of `Pulumi.yaml`
    """
    program = program_digest(folder)
    with ThreadPoolExecutor(_READERS) as readers:
        states = readers.map(
            lambda task: None if task.purpose == "create" else store.state(task.held),
            outlook.tasks,
        )
        return [
            Stack(
                name=task.stack,
                selection=(task.app,) if task.inputs else (),
                digests=Digests(
                    registry={task.app: declared_digest(declared(task.inputs.app))}
                    if task.inputs
                    else {},
                    program=program,
                    state={task.app: deployment_digest(state)},
                    changes={},
                    settings=task.inputs.digest if task.inputs else "",
                ),
            )
            for task, state in zip(outlook.tasks, states, strict=True)
        ]


def apps_of(reviewed: Plan) -> frozenset[str]:
    """Name the apps that a plan is about."""
    return frozenset(app for stack in reviewed.stacks for app in stack.digests.state)


def moved_since(reviewed: Plan, stacks: Sequence[Stack]) -> list[str]:
    """Return one line for each thing that is not as it was when the plan was made (`planning.keeping.moved`).

    :param stacks: what a run would be made of now
    """
    changes = {stack.name: stack.digests.changes for stack in reviewed.stacks}
    now = tuple(with_changes(each, changes.get(each.name, {})) for each in stacks)
    return moved(reviewed, Plan(summary=Counts(), rows=(), stacks=now))


def refused_plan(outlook: Outlook) -> Plan:
    """Make the plan of a run that would be refused as a whole."""
    refusals = tuple(Refusal(stack="", app=None, text=text) for text in outlook.refused)
    return Plan(summary=Counts(), rows=(), refusals=refusals)


def _rows(task: Task, runs: Mapping[str, Run]) -> tuple[Row, ...]:
    users = tuple(row for user in task.users for row in _rows(user, runs))
    return (*_own_rows(task, runs.get(task.stack)), *users)


def _own_rows(task: Task, run: Run | None) -> tuple[Row, ...]:
    if run is not None:
        # A stack that is to get another name is previewed under the one that it has.
        return tuple(row.model_copy(update={"stack": task.stack}) for row in rows_of(run))
    if task.inputs is None or task.purpose != "create":
        # Its preview did not end. That is reported elsewhere.
        return ()
    return (
        Row(
            stack=task.stack,
            app=task.app,
            action="create",
            resources=Counts(),
            changes=changes(None, declared(task.inputs.app)),
            capacity=capacity(None, declared(task.inputs.app)),
        ),
    )
