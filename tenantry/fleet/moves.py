"""Moves apps from one big stack to a stack each (`split`), and back (`join`), by writing states alone.

An app is never in no state, and two states hold it only while one of them says that it was moved. The order of a split:

1. The big stack's outputs say which apps go, and to which stack (`MOVED`). From here on its program refuses to run.
2. Each app's own stack is made, whole in one write.
3. The big stack is written without them, in one write. What it says of them stays, so that `all` means all but those.

The order of a join:

1. The big stack's outputs say that the apps are elsewhere, so that its program does not make them.
2. Each app's own stack says that the app goes back.
3. The big stack is written with all of them, in one write. The own stacks are removed.

After a kill anywhere in between, the states tell how far the move came. Runs of either side are refused and name the
command that ends it, and that command does what is left. An app's own stack that was made, or a big stack that was
written, is never written from the other again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from tenantry.errors import did_you_mean, shown
from tenantry.fleet.errors import FleetError
from tenantry.registry import load
from tenantry.registry.moving import cut_off
from tenantry.registry.names import own_stack
from tenantry.running.stack import export_state
from tenantry.states.apps import applied_in, apps_in, between, moved_out
from tenantry.states.deployments import joined, marked, part, sizes, without
from tenantry.states.store import Kept, recode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from tenantry.fleet.project import Project
    from tenantry.registry.applied import AppliedApp
    from tenantry.states.store import Store

_BACKUPS: Final = ".tenantry/fleet/states"
_NOT_THE_FLEETS: Final = frozenset({"tenantry:apps", "tenantry:allowDestroy", "tenantry:registry"})
"""Settings of a stack that its fleet does not need."""

Operation = Literal["split", "join"]
Standing = Literal["to move", "to finish", "to forget"]
"""`to finish`: its earlier move was cut off; `to forget`: the big stack says it moved, and its own stack is gone."""


@dataclass(frozen=True)
class Move:
    """One app on its way."""

    app: str
    source: str
    target: str
    resources: int
    """How many of the app's own go with it."""
    standing: Standing = "to move"


@dataclass(frozen=True)
class Moves:
    """What is to be moved, or was."""

    operation: Operation
    stack: str
    """The big one."""
    moves: tuple[Move, ...]
    stays: tuple[str, ...] = ()
    """Apps that the big stack holds, and keeps."""
    notes: tuple[str, ...] = ()
    """What is to be done beside it."""
    backup: str = ""
    """The folder that has the states of before; empty where nothing was begun."""

    @property
    def stacks(self) -> set[str]:
        """All that are read and written."""
        return {
            self.stack,
            *(each.source for each in self.moves),
            *(each.target for each in self.moves),
        }


def plan_split(
    project: Project,
    states: Store,
    stack: str,
    *,
    only: Collection[str] = (),
    tenants: Collection[str] = (),
) -> Moves:
    """Say what `split` would move.

    :param stack: the big one
    :param only, tenants: ids of apps, names of tenants; by default every app that the stack holds
    :raises FleetError: something is in the way, in one line for each
    """
    kept = _there(states, stack)
    _refuse_pending(stack, kept)
    namespace = load(project.folder / project.registry).namespace
    # Sorted: the order in a state is that of registration, which differs from run to run.
    held = sorted(apps_in(kept.deployment))
    begun = between(kept.deployment)
    chosen = [app for app in held if _chosen(app, only, tenants) or app in begun]
    _refuse_unknown(f"stack {stack} holds", only, tenants, [*held, *moved_out(kept.deployment)])
    applied = {each.id: each.namespace for each in applied_in(kept.deployment)}
    size = sizes(kept.deployment)
    there = states.stacks()
    moves, refused = [], []
    for app in chosen:
        target = begun.get(app) or own_stack(app)
        other = states.read(target) if target in there else None
        theirs = apps_in(other.deployment) if other else []
        if target == stack:
            refused.append(f"{stack} is {app}'s own stack already")
        elif app not in applied:
            refused.append(f"{app} was never applied whole: tenantry up, then go on")
        elif applied[app] not in {"", namespace}:
            refused.append(
                f"{app} was applied under the namespace {applied[app]}, and {project.registry} says {namespace}"
            )
        elif other and other.deployment.get("resources") and not (app in begun and theirs == [app]):
            refused.append(
                f"stack {target} holds resources already ({', '.join(theirs) or 'of no app'}): look at it with pulumi stack --stack {target}"
            )
        else:
            standing: Standing = "to finish" if app in begun else "to move"
            moves.append(Move(app, stack, target, size[app], standing))
    _refuse(refused)
    return Moves(
        "split",
        stack,
        tuple(moves),
        tuple(app for app in held if app not in chosen),
        _notes(project, stack) if moves else (),
    )


def split(
    project: Project,
    states: Store,
    planned: Moves,
    tell: Callable[[Move], None] = lambda _: None,
) -> Moves:
    """Move apps from the big stack to stacks of their own, as `plan_split` said; parameters and errors as there.

    :param tell: is told of each app whose own stack is there
    :return: the same, with the backup's folder
    """
    if not planned.moves:
        return planned
    with states.hold(planned.stacks):
        kept = _there(states, planned.stack)
        _refuse_changed(planned, plan_split(project, states, planned.stack, only=_ids(planned)))
        apps = {each.app: each.target for each in planned.moves}
        moved = {**moved_out(kept.deployment), **apps}
        # Made before anything is written: what cannot be cut apart is found here.
        parts = {
            each.target: kept.holding(part(kept.deployment, each.app, each.source, each.target))
            for each in planned.moves
        }
        left = marked(without(kept.deployment, apps), moved)
        folder = _back_up(project.folder, "split", {planned.stack: kept})
        if between(kept.deployment).keys() != apps.keys():
            states.write(planned.stack, replace(kept, deployment=marked(kept.deployment, moved)))
        for each in planned.moves:
            there = states.read(each.target)
            if there is None or not there.deployment.get("resources"):
                states.write(each.target, parts[each.target])
            tell(each)
        states.write(planned.stack, replace(kept, deployment=left))
    return replace(planned, backup=folder)


def plan_join(
    project: Project,
    states: Store,
    stack: str,
    *,
    only: Collection[str] = (),
    tenants: Collection[str] = (),
) -> Moves:
    """Say what `join` would move; parameters and errors as for `plan_split`. The big stack need not be there."""
    kept = states.read(stack) or Kept()
    _refuse_pending(stack, kept)
    if begun := between(kept.deployment):
        raise FleetError(cut_off(stack, begun))
    namespace = load(project.folder / project.registry).namespace
    moved = moved_out(kept.deployment)
    held = sorted(apps_in(kept.deployment))
    stacks = states.stacks() - {stack}
    if only:
        # Nobody else's state is needed.
        stacks &= {own_stack(app) for app in only}
    moves, refused, known = [], [], [*moved]
    for source in sorted(each for each in stacks if "--" in each):
        other = _there(states, source)
        apps = apps_in(other.deployment)
        if len(apps) != 1 or own_stack(apps[0]) != source:
            continue
        (app,) = apps
        if _stays(applied_in(other.deployment), namespace):
            continue
        known.append(app)
        on_its_way = between(other.deployment).get(app)
        if not (_chosen(app, only, tenants) or on_its_way == stack):
            continue
        if on_its_way not in {None, stack}:
            refused.append(cut_off(source, {app: on_its_way or ""}))
        elif app in held and not on_its_way:
            refused.append(f"{app} is in both stacks, {stack} and {source}, and neither says why")
        elif pending := other.deployment.get("pending_operations"):
            refused.append(_pending(source, pending))
        else:
            standing: Standing = "to finish" if on_its_way else "to move"
            moves.append(Move(app, source, stack, sizes(other.deployment)[app], standing))
    _refuse_unknown("there is no stack of", only, tenants, [*known, *held])
    gone = sorted(
        app
        for app in moved
        if _chosen(app, only, tenants) and own_stack(app) not in stacks and app not in held
    )
    moves += [Move(app, own_stack(app), stack, 0, "to forget") for app in gone]
    _refuse(refused)
    coming = {each.app for each in moves}
    return Moves("join", stack, tuple(moves), tuple(app for app in held if app not in coming))


def join(
    project: Project,
    states: Store,
    planned: Moves,
    tell: Callable[[Move], None] = lambda _: None,
) -> Moves:
    """Move apps from their own stacks into the big one, as `plan_join` said; parameters and errors as there.

    Where stacks have keys of their own, the engine decrypts and encrypts anew. That needs the passphrase (or the key
    service) of both.

    :param tell: is told of each app whose own stack is gone
    """
    if not planned.moves:
        return planned
    with states.hold(planned.stacks):
        kept = states.read(planned.stack) or Kept()
        _refuse_changed(planned, plan_join(project, states, planned.stack, only=_ids(planned)))
        held = apps_in(kept.deployment)
        coming = [each for each in planned.moves if each.app not in held and each.resources]
        others = {each.source: _there(states, each.source) for each in coming}
        whole = _whole(project, planned.stack, kept, others)
        back = {each.app for each in planned.moves}
        moved = {app: to for app, to in moved_out(kept.deployment).items() if app not in back}
        folder = _back_up(project.folder, "join", {planned.stack: kept, **others})
        if coming and kept.deployment.get("resources"):
            elsewhere = {**moved_out(kept.deployment), **{each.app: each.source for each in coming}}
            states.write(
                planned.stack, replace(kept, deployment=marked(kept.deployment, elsewhere))
            )
        for each in coming:
            other = others[each.source]
            if each.app not in between(other.deployment):
                goes = marked(other.deployment, {each.app: planned.stack})
                states.write(each.source, replace(other, deployment=goes))
        if coming or moved != moved_out(kept.deployment):
            states.write(planned.stack, replace(whole, deployment=marked(whole.deployment, moved)))
        for each in planned.moves:
            if each.resources:
                states.remove(each.source)
            tell(each)
    return replace(planned, backup=folder)


def _whole(project: Project, stack: str, kept: Kept, others: Mapping[str, Kept]) -> Kept:
    """Put the states together, all with one key: the big stack's, or the first one's where that holds nothing."""
    key = kept.key or next((each.key for each in others.values()), None)
    foreign = [source for source, each in others.items() if each.key != key]
    parts = {
        source: export_state(project.environment, source, project.folder, secrets=True)[
            "deployment"
        ]
        if source in foreign
        else each.deployment
        for source, each in others.items()
    }
    # `joined` joins states of one key only, so all get the same one here.
    same = {source: {**each, "secrets_providers": key} for source, each in parts.items()}
    whole = kept.holding(joined(kept.deployment, stack, same), *others.values())
    return recode(whole, key or {}, project.environment, project.folder) if foreign else whole


def _there(states: Store, stack: str) -> Kept:
    kept = states.read(stack)
    if kept is None:
        raise FleetError(f"there is no stack {shown(stack)}{did_you_mean(stack, states.stacks())}")
    return kept


def _ids(planned: Moves) -> set[str]:
    return {each.app for each in planned.moves}


def _chosen(app: str, only: Collection[str], tenants: Collection[str]) -> bool:
    return (not only or app in only) and (not tenants or app.partition("/")[0] in tenants)


def _stays(applied: Iterable[AppliedApp], namespace: str) -> bool:
    """Tell whether a stack is another registry's, or that of an app that was asked for: such a one is its own."""
    return any(each.row or each.namespace not in {"", namespace} for each in applied)


def _refuse_unknown(
    what: str, only: Collection[str], tenants: Collection[str], known: Iterable[str]
) -> None:
    apps = set(known)
    for given, there in ((only, apps), (tenants, {each.partition("/")[0] for each in apps})):
        unknown = sorted(set(given) - there)
        if unknown:
            said = ", ".join(f"{shown(each)}{did_you_mean(each, there)}" for each in unknown)
            raise FleetError(f"{what} no {said}" if "holds" in what else f"{what} {said}")


def _refuse(lines: list[str]) -> None:
    if lines:
        raise FleetError("\n".join(f"{each}: nothing was moved" for each in lines))


def _refuse_pending(stack: str, kept: Kept) -> None:
    if pending := kept.deployment.get("pending_operations"):
        _refuse([_pending(stack, pending)])


def _pending(stack: str, pending: Collection[object]) -> str:
    return f"stack {stack} has {len(pending)} operations that were cut off: PULUMI_STACK={stack} tenantry up settles them"


def _refuse_changed(before: Moves, now: Moves) -> None:
    if before.moves != now.moves:
        raise FleetError(
            f"stack {before.stack}: another run changed what is to be moved in the meantime: nothing was moved. Begin again"
        )


def _notes(project: Project, stack: str) -> tuple[str, ...]:
    own = project.folder / f"Pulumi.{stack}.yaml"
    settings = project.settings_in(own)
    shared = project.settings_in(project.settings)
    missing = sorted(settings.keys() - shared.keys() - _NOT_THE_FLEETS)
    notes = []
    if missing:
        notes.append(
            f"{own.name} has settings that {project.settings.name} has not: {', '.join(missing)}. Put them there before fleet up"
            + ("" if project.settings.exists() else f": cp {own.name} {project.settings.name}")
        )
    if str(settings.get("tenantry:apps") or "all") != "all":
        notes.append(f"{own.name}: tenantry:apps names apps: take those out of it that were moved")
    return tuple(notes)


def _back_up(folder: Path, operation: Operation, kept: Mapping[str, Kept]) -> str:
    """Keep states as they are, secrets encrypted, in a form that `pulumi stack import --file` takes."""
    place = folder / _BACKUPS / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{operation}"
    place.mkdir(parents=True, mode=0o700)
    for stack, each in kept.items():
        if each.deployment:
            file = os.open(place / f"{stack}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w") as stream:
                json.dump(each.as_export(), stream)
    return str(place)
