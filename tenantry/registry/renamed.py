"""Apps and tenants that were called otherwise before: what the registry says of them, and which app of a stack each is.

An app that has another id is the same app where the registry says `renamed_from`. What a stack holds under the id of
before is then judged and declared under the id of now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenantry.registry.checks import Finding
from tenantry.registry.names import own_stack
from tenantry.registry.transition import TransitionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tenantry.registry.applied import AppliedApp
    from tenantry.registry.document import Path as Place
    from tenantry.registry.models import App, Tenant

_SHOWN: Final = 5


def check(tenants: Sequence[Tenant], apps: Sequence[App]) -> Iterator[Finding]:
    """Find each `renamed_from` that names what is still there, itself, or what another names too.

    The first path of a finding is from the root of the file.
    """
    yield from _claims(
        {
            each.label: (("tenants", each.label), each.renamed_from)
            for each in tenants
            if each.renamed_from
        },
        {each.label for each in tenants},
        "tenant",
    )
    claims = {
        each.id: (("tenants", each.tenant, "apps", each.name), each.renamed_from)
        for each in apps
        if each.renamed_from
    }
    yield from _claims(claims, {each.id for each in apps} if claims else (), "app")


def _claims(
    claims: Mapping[str, tuple[Place, Sequence[str]]], there: Collection[str], what: str
) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name, (place, before) in claims.items():
        for index, each in enumerate(before):
            if each == name:
                message = f"{each} is what it is called now: write what it was called before, or delete the key"
            elif each in there:
                message = (
                    f"{each} is in the registry: one of the two is another {what}. Take {each} out, or delete this key "
                    "(names are exchanged in two steps, over a third name)"
                )
            elif first.setdefault(each, name) != name:
                message = f"{first[each]} says that it was {each} too: only one can have been"
            elif each in before[:index]:
                message = f"{each} is in the list twice: keep one"
            else:
                continue
            yield Finding(((*place, "renamed_from", index),), message)


def with_tenants(tenants: Sequence[Tenant], apps: Sequence[App]) -> tuple[App, ...]:
    """Return the apps with the ids that they had under earlier names of their tenants, too.

    What an app itself says it was comes first. An id that one app says it had is no other's.
    """
    before = {each.label: each.renamed_from for each in tenants if each.renamed_from}
    if not before:
        return tuple(apps)
    claimed = {each for app in apps for each in app.renamed_from}
    found = []
    for app in apps:
        ids = [app.id, *app.renamed_from]
        through = [
            f"{label}/{each.partition('/')[2]}"
            for each in ids
            if each.startswith(f"{app.tenant}/")
            for label in before.get(app.tenant, ())
        ]
        more = [each for each in through if each not in claimed]
        found.append(
            app.model_copy(update={"renamed_from": (*app.renamed_from, *more)}) if more else app
        )
    return tuple(found)


@dataclass(frozen=True)
class Followed:
    """A stack's apps under the ids that the registry has for them now."""

    applied: list[AppliedApp]
    """What the stack holds, each app under its id of now."""
    selected: list[App]
    """What it is to hold, each app with the ids that it had in this stack (`App.formerly`)."""
    moved: dict[str, str]
    """The apps that were moved to another stack (`moving.moved_apps`)."""
    aliases: dict[str, tuple[str, ...]]
    """By app, the ids under which the state may still have something of it."""
    settled: tuple[str, ...] = ()
    """Apps whose `renamed_from` was applied to this stack, and says nothing new to it."""


def follow(
    applied: Iterable[AppliedApp],
    selected: Iterable[App],
    moved: Mapping[str, str],
    registry: Path,
    *,
    registered: Iterable[str],
) -> Followed:
    """Put each app that was renamed in the place of the app that the stack holds.

    :param applied: what the stack holds now
    :param selected: what it is to hold
    :param moved: by app, the stack that it was moved to
    :param registry: the registry's file, for the message
    :param registered: the ids of all apps of the registry
    :raises TransitionError: the stack holds two apps of which the registry says that they are one
    """
    held = {app.id: app for app in applied}
    now_moved = dict(moved)
    taken: dict[str, str] = {}
    partly = {app.id: app.partly for app in held.values()}
    wanted: list[App] = []
    done: list[str] = []
    known = set(registered)
    for app in selected:
        before = next((each for each in app.renamed_from if each in held), None)
        own = held.get(app.id)
        if before is not None and own is not None:
            raise TransitionError(
                f"{registry}: the stack holds {before} and {app.id}, and {app.id} says that it was renamed from {before}: nothing was "
                "changed. Take renamed_from out of it and put the other app back, or let one of the two go first"
            )
        for each in app.renamed_from:
            if each in now_moved:
                now_moved |= _moved_on(app, each, now_moved.pop(each), is_held=each in held)
        if before is not None:
            taken[before] = app.id
            partly[app.id] = partly[before]
            wanted.append(app.held_formerly((before, *held[before].formerly)))
        elif own is not None:
            if set(app.renamed_from) & set(own.formerly):
                done.append(app.id)
            wanted.append(app.held_formerly(own.formerly))
        else:
            wanted.append(app)
    others = (known | held.keys()) - taken.keys()
    aliases = {
        app.id: tuple(ids)
        for app in wanted
        if (ids := _left_behind(app, partly.get(app.id, ""), others))
    }
    return Followed(
        [each.called(taken[each.id]) if each.id in taken else each for each in held.values()],
        wanted,
        now_moved,
        aliases,
        tuple(done),
    )


def _left_behind(app: App, partly: str, others: Collection[str]) -> list[str]:
    # An app that was never called otherwise has nothing there, and what has an id of before is no part of it.
    before = [*app.formerly, *(app.renamed_from if app.formerly else ()), partly]
    return [each for each in dict.fromkeys(before) if each and each not in {app.id, *others}]


def can_go(apps: Sequence[str]) -> str:
    """Say that the `renamed_from` of apps was applied."""
    shown = ", ".join(apps[:_SHOWN])
    more = f" and {len(apps) - _SHOWN} more" if len(apps) > _SHOWN else ""
    return f"renamed_from of {shown}{more} was applied here: once every stack of the registry has been applied, it can be taken out"


def _moved_on(app: App, before: str, stack: str, *, is_held: bool) -> dict[str, str]:
    """Say of an app that was moved to another stack where it is under its id of now."""
    own = app.names.stack
    if is_held and stack == own:
        # Not a move: its own stack is getting the name that goes with the app's.
        return {}
    return {app.id: own if stack == own_stack(before) else stack}
