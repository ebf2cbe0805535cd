"""The graph of one user who signed up: made or brought up to date in a stack of its own, and deleted again.

Both may be called again at any time: what is done already is found, and what was cut off is gone on with.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from tenantry.clouds import aura
from tenantry.fleet.errors import FleetError
from tenantry.fleet.events import Summary
from tenantry.fleet.fleet import silent
from tenantry.fleet.frozen import read_frozen
from tenantry.fleet.outlook import Outlook
from tenantry.fleet.tasks import Task
from tenantry.fleet.user_stacks import user_task
from tenantry.registry.graphs import GraphError, graph_of_user
from tenantry.registry.names import is_user_stack
from tenantry.registry.signed_up import user_graph_in
from tenantry.registry.written.graphs import user as checked_user
from tenantry.registry.written.rules import RuleError
from tenantry.states.apps import applied_in, resources_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.fleet.events import Event
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.inputs import Desired
    from tenantry.registry import App
    from tenantry.registry.applied import AppliedApp

    Tell = Callable[[Event], None]


class NotYetError(FleetError):
    """The app is not there yet, or not whole."""

    may_pass = True


def make_user_graph(fleet: Fleet, app: str | App, user: str, *, tell: Tell = silent) -> Summary:
    """Bring the graph of a user who signed up to what the app's `graphs_per_user` says.

    :param app: the app's id in the registry, or an app model that stands for the whole registry
    :param user: the user's id, as the identity provider has it
    :param tell: is told of each event as it happens, in this thread
    :return: one result, named by the graph's id `tenant/app/user`; none where there was nothing to do
    :raises NotYetError: the app has no stack yet
    :raises TenantryError: it is refused: nothing was changed
    """
    _check(user)
    desired, known = _registered(fleet, app)
    graph_of_user(known, user)
    read_frozen(fleet.project, known.namespace).check(known.id)
    store = fleet.project.store
    stacks = store.stacks()
    applied = _applied(fleet, known)
    if applied is None:
        raise NotYetError(
            f"{known.id}: its users get graphs once the app itself is there: tenantry fleet up"
        )
    known = known.held_formerly(applied.formerly)
    stack = known.names.user_stack(user)
    there = stack in stacks
    update = store.last([stack]).get(stack) if there else None
    inputs = desired.inputs[known.id]
    if update is not None and update.applied(inputs.users):
        return Summary("up", (), 1, 0.0)
    held = user_graph_in(resources_of(store.state(stack))) if there else None
    if held and held.app not in {known.id, *known.renamed_from, *applied.formerly}:
        raise FleetError(
            f"stack {stack} has the graph of a user of {held.app}: nothing was changed. {known.id} has an id that this app had before: "
            "give it another one (tenantry rename)"
        )
    if held is None:
        _check_free(fleet, desired, known, stacks - {stack})
    task = user_task(inputs, user, stack=stack, update=update, there=there)
    return fleet.up(outlook=Outlook(desired, (task,), ()), tell=tell)


def stack_of(fleet: Fleet, app: App, user: str) -> str:
    """Return the name of the stack of a user's graph."""
    applied = _applied(fleet, app)
    return app.held_formerly(applied.formerly if applied else ()).names.user_stack(user)


def remove_user_graph(fleet: Fleet, app: str | App, user: str, *, tell: Tell = silent) -> Summary:
    """Delete a user's graph, or give it up, as the app's `deletion` says; parameters and errors as `make_user_graph`.

    :raises FleetError: `deletion` is `protect`; nothing was changed
    """
    _check(user)
    desired, known = _registered(fleet, app)
    read_frozen(fleet.project, known.namespace).check(known.id, destroys=True)
    store = fleet.project.store
    stack = stack_of(fleet, known, user)
    if stack not in store.stacks():
        return Summary("destroy", (), 1, 0.0)
    held = user_graph_in(resources_of(store.state(stack)))
    if held is not None and known.deletion == "protect":
        raise FleetError(
            f"{known.id}/{user}: the app has 'deletion: protect', which holds for its users' graphs: nothing was changed. Set 'deletion: "
            "delete' to destroy them with their users, or 'retain' to leave them in Aura"
        )
    if held is not None and held.deletion not in {"", known.deletion}:
        # The engine does what was applied last.
        made = make_user_graph(fleet, app, user, tell=tell)
        if made.failed:
            return made
    task = Task(f"{known.id}/{user}", stack, "remove", deletion=known.deletion, user=user)
    return fleet.up(outlook=Outlook(desired, (task,), ()), tell=tell)


def _check(user: str) -> None:
    try:
        checked_user(user)
    except RuleError as error:
        raise FleetError(str(error)) from None


def _registered(fleet: Fleet, app: str | App) -> tuple[Desired, App]:
    if not isinstance(app, str):
        return fleet.project.desired_app(app), app
    desired = fleet.project.desired()
    try:
        return desired, desired.registry.app(app)
    except LookupError as error:
        raise FleetError(f"{fleet.project.registry}: {error.args[0]}") from None


def _applied(fleet: Fleet, app: App) -> AppliedApp | None:
    state = fleet.project.store.state(app.names.stack)
    return next((each for each in applied_in(state) if each.id == app.id), None)


def _check_free(fleet: Fleet, desired: Desired, app: App, stacks: set[str]) -> None:
    """Refuse a graph of the free tier where the account's one is taken: Aura itself says so only at the create.

    :raises GraphError: it is
    """
    kind = app.graphs_per_user
    if kind is None or kind.type != aura.FREE:
        return
    declared = (
        each.id
        for every in desired.registry.apps
        for each in every.graphs
        if each.graph.type == aura.FREE
    )
    signed_up = (
        f"{held.app}/{held.user}"
        for each in sorted(filter(is_user_stack, stacks))
        if (held := user_graph_in(resources_of(fleet.project.store.state(each))))
        and held.place.get("type", aura.FREE) == aura.FREE
    )
    if taken := next(chain(declared, signed_up), ""):
        raise GraphError(
            f"{app.id}: graphs_per_user has type free-db, of which an Aura account has one, and {taken} has it: nothing was made. Write "
            "another type"
        )
