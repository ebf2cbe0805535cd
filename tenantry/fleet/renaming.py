"""The stack of an app that was renamed: it is called by the app's id, so it gets another name too.

The order: the old state says that the app goes to the stack of the new name; that stack is written, whole in one write;
the old one is removed. After a kill anywhere in between the next run finds the old stack and does what is left. While
the old one is there the new one has not been worked on, so it is never written twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tenantry.registry.names import own_stack
from tenantry.states.apps import applied_in, moved_out
from tenantry.states.deployments import marked, renamed

if TYPE_CHECKING:
    from collections.abc import Collection

    from tenantry.registry import Registry
    from tenantry.states.store import Store


def renamed_stacks(store: Store, registry: Registry, stacks: Collection[str]) -> dict[str, str]:
    """Tell of each app that was renamed which stack has it under an id of before; those that have none are left out.

    :param stacks: those that there are
    """
    own = {app.names.stack for app in registry.apps if app.renamed_from}
    found = {}
    for app in registry.apps:
        for before in app.renamed_from:
            stack = own_stack(before)
            if stack not in stacks or stack in own:
                continue
            held = applied_in(store.state(stack))
            if [(each.id, each.namespace) for each in held] == [(before, registry.namespace)]:
                found[app.id] = stack
                break
    return found


def in_the_way(store: Store, source: str, target: str, stacks: Collection[str]) -> str:
    """Say why a stack cannot get another's name, in one line; empty where it can."""
    there = store.state(target) if target in stacks else None
    if not (there or {}).get("resources"):
        return ""
    state = store.state(source)
    if target in moved_out(state).values():
        return ""
    (app,) = (each.id for each in applied_in(state))
    return (
        f"stacks {source} and {target} both hold resources, and the registry says that {app} was renamed: nothing was changed. Let one "
        "of the two go first: put its app back without renamed_from, and destroy it"
    )


def rename_stack(store: Store, source: str, target: str) -> None:
    """Give the stack of one app another name, or go on where a run that did so was cut off.

    :raises StatesError: somebody is at work on one of the two, or the backend refuses
    """
    with store.hold({source, target}):
        kept, there = store.read(source), store.read(target)
        if kept is None:
            return  # another run did it
        if there is None or not there.deployment.get("resources"):
            goes = {each.id: target for each in applied_in(kept.deployment)}
            # Who still has the registry of before is refused from here on.
            store.write(source, replace(kept, deployment=marked(kept.deployment, goes)))
            whole = marked(renamed(kept.deployment, source, target), {})
            store.write(target, kept.holding(whole))
        store.remove(source)
