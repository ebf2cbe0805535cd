"""Which apps of a fleet may be destroyed by name, and how many in one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tenantry.errors import counted
from tenantry.fleet.errors import FleetError
from tenantry.fleet.outlook import some
from tenantry.fleet.user_stacks import of_leaving, refused_going, to_remove
from tenantry.states.apps import applied_in

if TYPE_CHECKING:
    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.selection import Selection
    from tenantry.states.store import Store


def judge_removals(outlook: Outlook, store: Store, selection: Selection, confirmed: str) -> Outlook:
    """Find the stacks that are to go, by what was applied last.

    :param outlook: a look at every app of the selection
    :param store: the states of the stacks
    :param confirmed: the registry's namespace, where any number may go
    :raises FleetError: it is refused
    """
    namespace = outlook.desired.registry.namespace
    if confirmed and confirmed != namespace:
        raise FleetError(f"--confirm {confirmed}: the registry's namespace is {namespace}")
    there = [task for task in outlook.tasks if task.purpose != "create"]
    tasks, refused = [], [*outlook.cut]
    for task in there:
        held = applied_in(store.state(task.held))
        deletion = held[0].deletion if held else "delete"
        if deletion == "protect":
            refused.append(
                f"{task.app} was applied last with 'deletion: protect': nothing was changed. Set 'deletion: delete', apply, then destroy it"
            )
        ids = {task.app, *(each for app in held for each in (app.id, *app.formerly))}
        users = of_leaving(ids, outlook.users)
        if line := refused_going(store, task.app, deletion, users):
            refused.append(line)
        going = to_remove(deletion, users)
        tasks.append(replace(task, purpose="remove", deletion=deletion, users=going))
    limits = outlook.desired.registry.limits
    count = len(tasks)
    apps = [task.app for task in tasks]
    unnamed = {task.app for task in tasks} - selection.only
    if not confirmed and count > limits.most_unnamed() and unnamed:
        refused.append(
            f"{counted(count, 'app')} would be destroyed ({some(apps)}): nothing was changed. Name each with --only, or the namespace: --confirm {namespace}"
        )
    elif not confirmed and count > (most := limits.most_of(outlook.fleet)):
        refused.append(
            f"{count} of the fleet's {outlook.fleet} apps would be destroyed ({some(apps)}): nothing was changed. Take {most} at most, or name the namespace: "
            f"--confirm {namespace}"
        )
    if refused:
        raise FleetError("\n".join(refused))
    return replace(outlook, tasks=tuple(tasks), unchanged=(), refused=())
