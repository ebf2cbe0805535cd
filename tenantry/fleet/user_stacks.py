"""The stacks of the graphs of users who signed up: whose they are, which ones a run works on, and how it went.

Each graph has a stack of its own, so a sign-up makes one graph and touches nothing else. A run over an app works on
those of its users after the app's own; where the app goes, they go first.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.fleet.tasks import Task
from tenantry.registry.names import AppNames, app_of
from tenantry.registry.signed_up import user_graph_in
from tenantry.states.apps import resources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tenantry.fleet.inputs import Inputs
    from tenantry.fleet.scheduling import Attempted
    from tenantry.registry import App, Registry
    from tenantry.states.history import Update
    from tenantry.states.store import Store

_AT_ONCE: Final = 4
"""An account of Aura makes and changes about so many instances at a time."""
_SHOWN: Final = 3
_ANY: Final = "?"
"""No user's id: whose graph it is matters no more."""


@dataclass
class Owned:
    """Whose the users' stacks are."""

    by_app: dict[str, list[str]] = field(default_factory=dict)
    """The stacks of each app of the registry that has any."""
    others: list[str] = field(default_factory=list)
    """Those whose app is not in the registry, by their names."""


def owned(store: Store, registry: Registry, stacks: Iterable[str], *, every: bool) -> Owned:
    """Say whose the users' stacks are.

    :param stacks: those that are called so (`names.is_user_stack`)
    :param every: read the state where the name does not tell; by the name alone, the stacks that an app's users had
        before it was renamed are found as long as the registry says that it was
    """
    ids = {each: app.id for app in registry.apps for each in (*app.renamed_from, app.id)}
    beginnings = {_beginning(each): app for each, app in ids.items()}
    found = Owned()
    for stack in sorted(stacks):
        app = beginnings.get(f"{stack.rpartition('--')[0]}--")
        if app is None and not every:
            continue
        if app is None:
            # An app that was renamed long ago: its users' stacks keep their names.
            held = user_graph_in(resources_of(store.state(stack)))
            app = ids.get(held.app) if held and held.namespace == registry.namespace else None
        if app is None:
            found.others.append(stack)
        else:
            found.by_app.setdefault(app, []).append(stack)
    return found


def of_leaving(ids: Iterable[str], stacks: Iterable[str]) -> list[str]:
    """Choose among stacks those of the users of an app that left the registry.

    :param ids: the app's, and those that it had before
    """
    beginnings = tuple(_beginning(each) for each in ids)
    return [each for each in stacks if each.startswith(beginnings)]


def to_apply(
    store: Store,
    inputs: Inputs,
    stacks: Collection[str],
    last: Mapping[str, Update],
    *,
    every: bool,
) -> tuple[Task, ...]:
    """Return what is to be done in the stacks of an app's users: in those that are not as they are wanted.

    :param last: the last update of each stack
    :param every: take also those that nothing changed about
    """
    tasks = []
    for stack in stacks:
        update = last.get(stack)
        if update is not None and update.applied(inputs.users) and not every:
            continue
        held = user_graph_in(resources_of(store.state(stack)))
        # Where nothing was made yet, the user's sign-up goes on with it.
        if held is not None:
            tasks.append(user_task(inputs, held.user, stack=stack, update=update))
    return tuple(tasks)


def to_remove(deletion: str, stacks: Iterable[str]) -> tuple[Task, ...]:
    """Return what is to be done in the stacks of the users of an app that goes.

    :param deletion: what the app was applied with last
    """
    return tuple(Task(stack, stack, "remove", deletion=deletion, user=_ANY) for stack in stacks)


def user_task(
    inputs: Inputs, user: str, *, stack: str, update: Update | None = None, there: bool = True
) -> Task:
    """Return what brings a user's graph to what the registry says.

    :param there: whether the stack is there
    """
    return Task(
        f"{inputs.app.id}/{user}",
        stack,
        "update" if there else "create",
        inputs,
        update,
        user=user,
    )


def refused_going(store: Store, app: str, deletion: str, stacks: Iterable[str]) -> str:
    """Say why the users' graphs keep an app from going, in one line; empty where they do not.

    :param deletion: what the app was applied with last
    """
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        held = [user_graph_in(resources_of(each)) for each in readers.map(store.state, stacks)]
    others = [each.user for each in held if each and each.deletion not in {"", deletion}]
    if not others:
        return ""
    return (
        f"{app} was applied last with 'deletion: {deletion}', and {counted(len(others), 'graph')} of its users with another one "
        f"({_some(others)}): nothing was changed. Put the app back, apply it with its users' graphs (tenantry fleet up --only {app}), "
        "then let it go"
    )


def notes_on(registry: Registry, found: Owned, desired: Mapping[str, Inputs]) -> list[str]:
    """Say what is to be known about users' stacks that no run works on."""
    notes = [
        f"stack {stack} has the graph of a user of an app that is not in this registry, and stays as it is"
        for stack in found.others
    ]
    for app in registry.apps:
        stacks = found.by_app.get(app.id, [])
        if stacks and not desired[app.id].users:
            notes.append(
                f"{app.id} has no graphs_per_user any more, and {counted(len(stacks), 'user')} who signed up have a graph: these stay as "
                "they are. Put graphs_per_user back, or delete the users"
            )
    return notes


def listed_twice(app: App, stacks: Collection[str]) -> str:
    """Say which users have a stack of their own and are named by the registry too; empty where none is."""
    kind = app.graphs_per_user
    twice = [user for user in (kind.users if kind else ()) if app.names.user_stack(user) in stacks]
    if not twice:
        return ""
    return (
        f"{app.id}: graphs_per_user names {_some(twice)}, who signed up and have a graph in a stack of their own: nothing was changed. "
        "Take them out of the file"
    )


def with_users(own: Attempted, task: Task, attempt: Callable[[Task], Attempted]) -> Attempted:
    """Do something in the stacks of an app's users, some at once, and put the outcome together with the app's own.

    One that fails stops no other.
    """
    with ThreadPoolExecutor(_AT_ONCE, "users-graphs") as threads:
        ended = list(threads.map(attempt, task.users))
    result = own.result
    changes = dict(result.changes)
    for each in ended:
        for operation, count in each.result.changes.items():
            changes[operation] = changes.get(operation, 0) + count
    warnings = (*result.warnings, *(line for each in ended for line in each.result.warnings))
    outcome = result.outcome
    if outcome == "unchanged" and any(each.result.outcome == "applied" for each in ended):
        outcome = "applied"
    result = replace(result, changes=changes, warnings=tuple(warnings), outcome=outcome)
    bad = [each for each in ended if each.failure is not None]
    if not bad:
        return replace(own, result=result)
    # Another attempt is worth it as long as one of them may go well.
    worst = next((each for each in bad if each.failure and each.failure.kind != "lasting"), bad[0])
    more = f" (and {counted(len(bad) - 1, 'other graph')} of users)" if len(bad) > 1 else ""
    failed = worst.result
    return replace(
        worst,
        result=replace(
            result,
            outcome=failed.outcome,
            reason=f"{failed.app}: {failed.reason.removeprefix(f'{failed.app}: ')}{more}",
        ),
    )


def _beginning(app_id: str) -> str:
    tenant, _, app = app_of(app_id).partition("/")
    return AppNames("", tenant, app).user_stacks


def _some(users: list[str]) -> str:
    more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
    return f"{', '.join(users[:_SHOWN])}{more}"
