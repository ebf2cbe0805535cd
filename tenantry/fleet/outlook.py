"""What a run would do, from the registry, the history and the states, before anything is done and without an engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.fleet.asked import judge_asked, left_alone
from tenantry.fleet.errors import FleetError
from tenantry.fleet.frozen import Frozen
from tenantry.fleet.renaming import in_the_way, renamed_stacks
from tenantry.fleet.tasks import Task
from tenantry.fleet.user_stacks import (
    listed_twice,
    notes_on,
    of_leaving,
    owned,
    refused_going,
    to_apply,
    to_remove,
)
from tenantry.registry.moving import cut_off
from tenantry.registry.names import is_user_stack, own_stack
from tenantry.registry.renamed import can_go, follow
from tenantry.registry.transition import judge_transition
from tenantry.states.apps import applied_in, between

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tenantry.fleet.inputs import Desired
    from tenantry.fleet.project import Project
    from tenantry.fleet.selection import Selection
    from tenantry.registry.applied import AppliedApp

_READERS: Final = 8
_SHOWN: Final = 20


@dataclass(frozen=True)
class Outlook:
    """What there is to do."""

    desired: Desired
    tasks: tuple[Task, ...]
    """In the registry's order; apps that left come last."""
    unchanged: tuple[Task, ...]
    """Apps that are as they are wanted."""
    notes: tuple[str, ...] = ()
    """What would be destroyed or given up, and what is in the way of nothing but should be known."""
    refused: tuple[str, ...] = ()
    """Why a run that changes something does not begin."""
    fleet: int = 0
    """How many apps have a stack: those of the registry, and those that left it."""
    cut: tuple[str, ...] = ()
    """Those of `refused` about moves that were cut off. Nothing is done to these apps before the move has ended."""
    frozen: Frozen = field(default_factory=Frozen)
    held: tuple[Task, ...] = ()
    """What there would be to do for apps that are frozen."""
    users: frozenset[str] = frozenset()
    """The stacks of the graphs of users who signed up, of all apps."""

    def check(self) -> None:
        """Refuse what is not to be done.

        :raises FleetError: with one line for each fault
        """
        if self.refused:
            raise FleetError("\n".join(self.refused))


@dataclass
class _Left:
    held: list[AppliedApp] = field(default_factory=list)
    stacks: dict[str, str] = field(default_factory=dict)
    """The stack of each app."""
    notes: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    """What is refused over moves that were cut off."""


def look(
    project: Project,
    desired: Desired,
    selection: Selection,
    every_stack: Collection[str],
    *,
    every: bool = False,
    allowed: Collection[str] = (),
    removals: bool = True,
    users: bool = True,
) -> Outlook:
    """Compare the registry with the states.

    :param every_stack: the names of all stacks, listed before the registry was read
    :param every: take also apps that nothing changed about
    :param allowed: apps that may go, or lose something for good, beside others
    :param removals: look for apps that left the registry
    :param users: look for the graphs of users who signed up
    :raises SelectionError: it names something that is not there
    :raises StackError, RecoveryError: the states cannot be read
    """
    signed_up = {stack for stack in every_stack if is_user_stack(stack)}
    stacks = set(every_stack) - signed_up
    of_users = signed_up if users else set[str]()
    names = {inputs.app.names.stack: app for app, inputs in desired.inputs.items()}
    sources = renamed_stacks(project.store, desired.registry, stacks)
    others = stacks - names.keys() - set(sources.values())
    left = _left(project, desired, others, allowed) if removals else _Left()
    selection.check(desired.registry, {*left.stacks, *desired.reading.kept})
    chosen = [desired.inputs[app.id] for app in selection.apps(desired.registry.apps)]
    holding = {each.app.id: sources.get(each.app.id, each.app.names.stack) for each in chosen}
    going = set(selection.left(left.stacks))
    leaving = [app for app in left.held if app.id in going]
    gone = {app.id: of_leaving((app.id, *app.formerly), of_users) for app in left.held}
    theirs = owned(
        project.store,
        desired.registry,
        of_users.difference(*gone.values()),
        every=removals and selection.everything,
    )
    wanted = [
        *(stack for stack in holding.values() if stack in stacks),
        *(stack for app in holding for stack in theirs.by_app.get(app, ())),
    ]
    last = project.store.last(wanted)
    tasks: list[Task] = []
    unchanged: list[Task] = []
    for inputs in chosen:
        stack, held = inputs.app.names.stack, holding[inputs.app.id]
        update = last.get(held)
        there = held in stacks
        # A renaming comes first: their rows refer to the app's.
        behind = (
            to_apply(project.store, inputs, theirs.by_app.get(inputs.app.id, ()), last, every=every)
            if inputs.users and inputs.app.id not in sources
            else ()
        )
        task = Task(
            inputs.app.id,
            stack,
            "update" if there else "create",
            inputs,
            update,
            source=sources.get(inputs.app.id, ""),
            users=behind,
        )
        done = (
            there
            and not task.source
            and not behind
            and update is not None
            and update.applied(inputs.digest)
        )
        (unchanged if done and not every else tasks).append(task)
    missing = judge_asked(desired.reading, leaving, allowed)
    outlook = _judged(
        project,
        desired,
        tasks,
        () if missing else leaving,
        stacks=stacks,
        allowed=allowed,
        fleet=(
            fleet := len((stacks & names.keys()) | {own_stack(app) for app in sources})
            + len(left.held)
        ),
    )
    others -= set(left.stacks.values())
    elsewhere, halfway = _elsewhere(project, tasks, others, desired.registry.namespace)
    cut = (*outlook.cut, *left.cut, *halfway)
    removing = [
        Task(
            app.id,
            left.stacks[app.id],
            "remove",
            deletion=app.deletion,
            users=to_remove(app.deletion, gone[app.id]),
        )
        for app in leaving
    ]
    unlike = [refused_going(project.store, app.id, app.deletion, gone[app.id]) for app in leaving]
    twice = [listed_twice(each.app, of_users) for each in chosen] if of_users else []
    settled = [
        task.app
        for task in (*tasks, *unchanged)
        if task.purpose == "update"
        and not task.source
        and task.inputs
        and task.inputs.app.renamed_from
    ]
    return Outlook(
        desired,
        (*tasks, *removing),
        tuple(unchanged),
        (
            *left_alone(desired.reading, selection),
            *left.notes,
            *outlook.notes,
            *notes_on(desired.registry, theirs, desired.inputs),
            *([can_go(settled)] if settled else []),
        ),
        (
            *cut,
            *([f"{project.registry}: {missing}"] if missing else []),
            *outlook.refused,
            *elsewhere,
            *(f"{project.registry}: {line}" for line in (*unlike, *twice) if line),
        ),
        fleet,
        cut,
        users=frozenset(of_users),
    )


def _elsewhere(
    project: Project, tasks: Iterable[Task], stacks: Iterable[str], namespace: str
) -> tuple[list[str], list[str]]:
    """Refuse a stack of its own to an app that another stack holds: both would hold the same project.

    :return: what is refused, and what is over a split that was cut off
    """
    # A split that was cut off may have made a stack that no run has seen yet.
    new = {
        each
        for task in tasks
        if task.purpose == "create" or task.update is None
        for each in (task.app, *(task.inputs.app.renamed_from if task.inputs else ()))
    }
    refused, halfway = [], []
    # Skipped where every app has its stack.
    for stack in sorted(stacks) if new else ():
        state = project.store.state(stack)
        held = applied_in(state)
        twice = [app.id for app in held if app.id in new and app.namespace in {"", namespace}]
        if twice and (cut := between(state)):
            halfway.append(f"{project.registry}: {cut_off(stack, cut)}")
        elif twice:
            refused.append(
                f"{project.registry}: stack {stack} holds {some(twice)}: nothing was changed. An app cannot be in two stacks: go on with "
                f"that stack (tenantry up), give each a stack of its own (tenantry fleet split --from {stack}), or leave these out of the run"
            )
    return refused, halfway


def _left(
    project: Project, desired: Desired, stacks: Iterable[str], allowed: Collection[str]
) -> _Left:
    """Find the stacks whose app left the registry. A stack of another registry, or of several apps, is none.

    Nor is that of an app that was asked for and is left as it is, unless it is in `allowed`.
    """
    found = _Left()
    for stack in sorted(stacks):
        if "--" not in stack:
            continue
        state = project.store.state(stack)
        held = applied_in(state)
        if not held:
            remains = len((state or {}).get("resources") or [])
            found.notes.append(
                f"stack {stack} holds resources ({remains}), and no app that was ever whole: pulumi destroy --stack {stack} --remove"
                if remains
                else f"stack {stack} holds nothing: pulumi stack rm {stack}, when it is not needed"
            )
        elif cut := between(state):
            found.cut.append(f"{project.registry}: {cut_off(stack, cut)}")
        elif held[0].id in desired.reading.kept and held[0].id not in allowed:
            continue
        elif len(held) == 1 and _is_ours(held[0], stack, desired.registry.namespace):
            found.held.append(held[0])
            found.stacks[held[0].id] = stack
    return found


def _is_ours(app: AppliedApp, stack: str, namespace: str) -> bool:
    return own_stack(app.id) == stack and app.namespace == namespace


@dataclass(frozen=True)
class _Judged:
    notes: tuple[str, ...]
    refused: tuple[str, ...]
    cut: tuple[str, ...]


def _judged(
    project: Project,
    desired: Desired,
    tasks: Iterable[Task],
    leaving: Iterable[AppliedApp],
    *,
    stacks: Collection[str],
    allowed: Collection[str],
    fleet: int,
) -> _Judged:
    """Hold the whole run to the rules on removal, and look what is in the way of renamed stacks.

    What only one app is refused for, that app's own run says.
    """
    staying = [task for task in tasks if task.purpose == "update" and task.inputs]
    with ThreadPoolExecutor(_READERS) as readers:
        states = list(readers.map(project.store.state, [task.held for task in staying]))
    joining = [
        f"{project.registry}: {cut_off(task.stack, cut)}"
        for task, state in zip(staying, states, strict=True)
        # The renaming of a stack that was cut off goes on by itself.
        if (cut := between(state)) and not (task.source and set(cut.values()) == {task.stack})
    ]
    followed = follow(
        [app for state in states for app in applied_in(state)],
        [task.inputs.app for task in staying if task.inputs],
        {},
        project.registry,
        registered=desired.inputs,
    )
    rules = {
        "accounts": project.accounts,
        "catalog": project.has_catalog,
        "allowed": allowed,
        "registered": desired.registry.apps,
    }
    stay = judge_transition(followed.applied, followed.selected, **rules)  # type: ignore[arg-type]  # by name
    new = [task.inputs.app for task in tasks if task.purpose == "create" and task.inputs]
    leave = judge_transition(leaving, [], arriving=new, **rules)  # type: ignore[arg-type]  # by name
    limits = desired.registry.limits
    lost = [*stay.destroyed, *leave.destroyed]
    refused = [f"{project.registry}: {line}" for line in leave.refused]
    unnamed = [app for app in lost if app not in allowed]
    names = " ".join(f"--allow-destroy {app}" for app in lost)
    if leave.destroyed and not desired.inputs and unnamed:
        refused.append(
            f"{project.registry}: the registry has no app, and {len(leave.destroyed)} would leave: nothing was changed. If the file is complete "
            f"and this is meant, allow it by name: tenantry fleet up {names}"
        )
    elif len(lost) > limits.most_unnamed() and unnamed:
        refused.append(
            f"{project.registry}: {counted(len(lost), 'app')} would leave, be replaced or lose branches, graphs or keys in one run "
            f"({some(lost)}): nothing was changed. If the file is complete and this is meant, allow it by name, or select one with --only: "
            f"tenantry fleet up {names if len(lost) <= _SHOWN else '--allow-destroy APP …'}"
        )
    if len(lost) > (most := limits.most_of(fleet)):
        refused.append(
            f"{project.registry}: {len(lost)} of the fleet's {fleet} apps would leave, be replaced or lose something ({some(lost)}), and one run "
            f"takes {most} ({limits.removals}%) at most: nothing was changed. Take them in several runs, chosen with --only"
        )
    renames = [task for task in tasks if task.source]
    refused += [
        f"{project.registry}: {line}"
        for task in renames
        if (line := in_the_way(project.store, task.source, task.stack, stacks))
    ]
    told = [
        f"{task.app} is renamed: stack {task.source} will be called {task.stack}"
        for task in renames
    ]
    return _Judged((*told, *stay.told, *leave.told), tuple(refused), tuple(joining))


def some(apps: list[str]) -> str:
    """Name apps, so many as a line can take."""
    shown = ", ".join(apps[:_SHOWN])
    return shown if len(apps) <= _SHOWN else f"{shown} and {len(apps) - _SHOWN} more"
