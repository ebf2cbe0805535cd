"""What the clouds' lists say against the states: a handful of requests for a thousand apps, no engine, no lock.

A list tells of every project its name, place, compute, retention and allow-list, and of every graph its name. Rights,
roles and settings are known to the databases alone: `Fleet.drift` with `deep` looks at each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.fleet.looking import FleetLooker
from tenantry.planning.drift import Difference, Drift, Stray, in_order
from tenantry.planning.plan import PropertyChange
from tenantry.planning.resources import kind_of
from tenantry.recovery.judging import Facts, judge
from tenantry.registry.names import app_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tenantry.clouds.cloud import Cloud, Held, Live, Seen
    from tenantry.fleet.project import Project
    from tenantry.fleet.selection import Selection
    from tenantry.recovery.looking import Looker
    from tenantry.states.state import StackState

_STRAYS: Final = ("orphan", "duplicate")


def list_drift(project: Project, selection: Selection) -> Drift:
    """Compare the clouds' lists with the states of the selected apps.

    :raises TenantryError: the registry, the selection, the states or the clouds cannot be used
    """
    registry = project.source.read().registry
    looker = FleetLooker(project, registry)
    left = () if selection.everything else looker.held() - {app.id for app in registry.apps}
    selection.check(registry, left)
    chosen = {app.id for app in selection.apps(registry.apps)} | set(selection.left(left))
    return listed(looker, None if selection.everything else chosen)


def listed(looker: Looker, apps: Collection[str] | None = None) -> Drift:
    """Compare the clouds' lists with the states.

    What a run makes at this moment is no stray, nor is what it changes a difference: stacks at work are left out.

    :param apps: ids of those that are asked about; None for all, and what is nobody's
    :raises TenantryError: something cannot be asked
    """
    facts = looker.facts(twice=False)
    strays = _strays(facts)
    if strays:
        # Something may have been made after the states were read. It is in the list, and not yet in those states.
        facts = Facts(**{**vars(facts), "states": looker.states(), "locks": looker.locks()})
        strays = _strays(facts)
    busy = {lock.stack for lock in facts.locks if lock.owner != "dead"}
    looked = [
        (state, held, seen)
        for state in facts.states
        if state.stack not in busy
        for seen in facts.seen
        for held in state.of(seen.cloud)
        if apps is None or app_of(held.target) in apps
    ]
    live = {seen.cloud.name: {each.id: each for each in seen.live} for seen in facts.seen}
    found = [
        difference
        for state, held, seen in looked
        if (difference := _difference(state, held, seen, live[seen.cloud.name]))
    ]
    return Drift(
        compared=len(looked),
        differences=in_order(found),
        strays=tuple(each for each in strays if apps is None or app_of(each.name) in apps),
    )


def _strays(facts: Facts) -> list[Stray]:
    return [
        Stray(kind=each.kind, name=each.subject, found=each.text, command=each.command)
        for each in judge(facts)
        if each.kind in _STRAYS
    ]


def _difference(
    state: StackState, held: Held, seen: Seen, live: Mapping[str, Live]
) -> Difference | None:
    gone = held.id in seen.missing
    changes = (
        () if gone or held.id not in live else tuple(_changes(seen.cloud, held, live[held.id]))
    )
    if not gone and not changes:
        return None
    return Difference(
        stack=state.stack,
        app=app_of(held.target),
        kind=kind_of(seen.cloud.type).word,
        name=held.target,
        gone=gone,
        properties=changes,
    )


def _changes(cloud: Cloud, held: Held, found: Live) -> Iterator[PropertyChange]:
    pairs: list[tuple[str, str, str | None]] = [("name", held.name, found.name)]
    if held.account and found.account:
        pairs.append((cloud.account.property, held.account, found.account))
    pairs += [(cloud.place[key], value, found.place.get(key)) for key, value in held.place.items()]
    pairs += [(key, value, found.settings.get(key)) for key, value in held.settings.items()]
    for name, before, now in pairs:
        # What a list does not tell is no difference.
        if now is not None and before != now:
            yield PropertyChange(name=name, old=before or None, new=now or None)
