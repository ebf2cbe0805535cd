"""From what is applied to what the registry says: what a run may not do, and what it says before it does it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tenantry.clouds.aura import AURA
from tenantry.clouds.table import databases
from tenantry.errors import TenantryError
from tenantry.registry.applied import AppliedApp
from tenantry.registry.days import is_over
from tenantry.registry.graphs import elsewhere, graph_place, place_changes
from tenantry.registry.likeness import hint, taken_back
from tenantry.registry.models import App, Limits
from tenantry.registry.permission import permission


class TransitionError(TenantryError):
    """The run would destroy or break what is to be kept; one line for each fault."""


@dataclass
class Judgement:
    """What is to be said of a step from what is applied to what is wanted."""

    refused: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    destroyed: list[str] = field(default_factory=list)
    """The apps that lose something for good, or their place in this stack."""

    def lose(self, app: str, line: str) -> None:
        """Record that an app, or something of it, goes, and may."""
        if app not in self.destroyed:
            self.destroyed.append(app)
        self.told.append(line)


@dataclass(frozen=True)
class Registered:
    """What the registry says beside the apps that a stack is to hold."""

    apps: Sequence[App]
    """Every app of the registry."""
    limits: Limits = field(default_factory=Limits)


def check_transition(
    applied: Iterable[AppliedApp],
    selected: Iterable[App],
    registry: Path,
    *,
    accounts: Mapping[str, str] = MappingProxyType({}),
    catalog: bool = True,
    allowed: Collection[str] = (),
    registered: Registered | None = None,
) -> list[str]:
    """Refuse what an edit must not do by accident, and say what is destroyed otherwise.

    - A project is destroyed when its app leaves, and when the app changes its provider or what that cannot change about
      a project. A branch is destroyed when it leaves. Each takes two reviewed steps: `deletion: delete` applied, then
      the change.
    - An app that was renamed does not leave in the run in which one with its id of before arrives: somebody took the
      change back, and did not say so.
    - An app that was applied with `deletion: retain` may leave, since its project stays.
    - One run takes something from one app only, or from those in `allowed`: a file that was cut short loses more. The
      registry may lower that to none (`limits.removals: 0%`).
    - An app that the registry still has, and the stack's selection not, leaves only if it is in `allowed`. So does the
      last app that the stack holds.
    - A generation goes up by one. Any other step of a login changes the password that is in use; any other step of an
      API key cuts off the clients that hold the previous one.
    - A key that leaves is revoked. With a protected app, its generations must have been revoked before, or the app is
      in `allowed`.
    - A graph that leaves, or that Aura cannot change so, takes the same two steps as a project. One of an app's graphs
      goes in a run, unless the app is in `allowed`.
    - The organization never changes: it comes from the shell or the stack, and a variable that is not set must not
      replace every project.
    - Logical replication stays on: Neon cannot turn it off.
    - The namespace never changes: it is in every name, and in every row of the catalog.

    :param applied: what the stack holds now
    :param selected: what it is to hold
    :param registry: the registry's file, for the message
    :param accounts: by the cloud's name, the account that this run works in (a Neon organization, an Aura project);
        none where the key implies it
    :param catalog: whether this run has a catalog
    :param allowed: ids of apps that may go together, and whose graphs may
    :param registered: the whole registry; None where `selected` is all of it, and the limits are the usual ones
    :return: one line for each app, branch or key that goes, and may
    :raises TransitionError: with one line for each fault
    """
    applied, selected = list(applied), list(selected)
    judgement = judge_transition(
        applied,
        selected,
        accounts=accounts,
        catalog=catalog,
        allowed=allowed,
        registered=registered.apps if registered else None,
    )
    wanted = {app.id for app in selected}
    limits = registered.limits if registered else Limits()
    none_stays = not any(old.id in wanted for old in applied)
    _together(judgement, allowed, limits.most_unnamed(), none_stays=none_stays)
    if judgement.refused:
        raise TransitionError("\n".join(f"{registry}: {line}" for line in judgement.refused))
    return judgement.told


def judge_transition(
    applied: Iterable[AppliedApp],
    selected: Iterable[App],
    *,
    accounts: Mapping[str, str] = MappingProxyType({}),
    catalog: bool = True,
    allowed: Collection[str] = (),
    registered: Iterable[App] | None = None,
    arriving: Iterable[App] | None = None,
) -> Judgement:
    """Judge each app by itself. How many lose something together is for the caller to judge.

    Parameters as for `check_transition`.

    :param arriving: the apps that are new, of which one may be an app that leaves; by default those of `selected` that
        are not in `applied`
    """
    applied = list(applied)
    wanted = {app.id: app for app in selected}
    if arriving is None:
        held = {app.id for app in applied}
        arriving = [app for app in wanted.values() if app.id not in held]
    new_apps = list(arriving)
    known = {app.id: app for app in registered} if registered is not None else wanted
    judgement = Judgement()
    for old in applied:
        if old.in_catalog and not catalog:
            judgement.refused.append(
                f"{old.id} has rows in a catalog, and no catalog is configured: nothing was changed. Set "
                "TENANTRY_CATALOG_URL, or pulumi config set --secret tenantry:catalogUrl"
            )
        new = wanted.get(old.id)
        if new is None and old.id in known and old.id not in allowed:
            judgement.refused.append(
                f"{old.id} is in the registry, and tenantry:apps no longer selects it: nothing was changed. To keep it in this stack, "
                f"select it again; to destroy what the stack holds of it as its deletion says: {permission(old.id)}"
            )
        elif new is None:
            _leaving(old, new_apps, known, judgement)
        elif old.namespace and old.namespace != new.namespace:
            judgement.refused.append(
                f"{old.id} was applied under the namespace {old.namespace}, and the registry says {new.namespace}, which is another's: "
                "nothing was changed. Put the namespace back, or run with the stack of this registry"
            )
        elif old.account != (account := accounts.get(old.provider, "")):
            _moved(old, account, judgement)
        elif changes := _unchangeable(old, new):
            _replaced(old, changes, judgement)
            _api_keys(old, new, allowed, judgement)
        else:
            _branches(old, new, judgement)
            _rotation(old, new, judgement)
            _replication(old, new, judgement)
            _api_keys(old, new, allowed, judgement)
        if new is not None:
            _graphs(old, new, accounts.get(AURA.name, ""), allowed, judgement)
    return judgement


def _leaving(
    app: AppliedApp, arriving: Collection[App], known: Collection[str], judgement: Judgement
) -> None:
    if line := taken_back(app, arriving):
        judgement.refused.append(line)
        return
    meant = hint(app, arriving, known)
    title = databases()[app.provider].title
    match app.deletion:
        case "protect":
            judgement.refused.append(
                f"{app.id} is gone, and was applied last with 'deletion: protect': nothing was changed. To keep it, "
                f"put it back; to destroy it, put it back with 'deletion: delete', apply, then remove it{meant}"
            )
        case "retain":
            judgement.lose(
                app.id,
                f"{app.id} leaves with 'deletion: retain': its {title} project stays in the cloud{_and_graphs(app, 'do')}, and no "
                "stack knows it any more"
                + ("; its API keys are revoked" if app.api_keys else "")
                + meant,
            )
        case "delete":
            judgement.lose(
                app.id,
                f"{app.id} leaves with 'deletion: delete': its {title} project and all data in it are destroyed"
                f"{_and_graphs(app, 'are')}{meant}",
            )


def _and_graphs(app: AppliedApp, do: str) -> str:
    return f", and so {do} its graphs ({', '.join(app.graphs)})" if app.graphs else ""


def _moved(app: AppliedApp, account: str, judgement: Judgement) -> None:
    def named(account: str) -> str:
        return f"organization {account}" if account else "the API key's own organization"

    told = databases()[app.provider].account
    judgement.refused.append(
        f"{app.id} was applied in {named(app.account)}, and this run works in {named(account)}: nothing was "
        f"changed. Set {told.variable} or {told.setting} back; to move the app, remove it and add it again"
    )


def _replaced(app: AppliedApp, changes: str, judgement: Judgement) -> None:
    title = databases()[app.provider].title
    if app.deletion == "delete":
        judgement.lose(
            app.id,
            f"{app.id}: {changes}, which {title} cannot change: its project and all data in it are destroyed, and an "
            "empty one is made",
        )
    else:
        judgement.refused.append(
            f"{app.id}: {changes}, which {title} cannot change, and the app was applied last with "
            f"'deletion: {app.deletion}': nothing was changed. To keep the data, put the old value back; to start "
            "with an empty project, set 'deletion: delete', apply, then change it"
        )


def _unchangeable(old: AppliedApp, new: App) -> str:
    changes = []
    if old.provider != new.database.provider:
        changes.append(f"provider from {old.provider} to {new.database.provider}")
    if old.region != new.region:
        changes.append(f"region from {old.region} to {new.region}")
    if old.postgres_version != new.database.postgres_version:
        changes.append(f"PostgreSQL from {old.postgres_version} to {new.database.postgres_version}")
    return " and ".join(changes)


def _branches(old: AppliedApp, new: App, judgement: Judgement) -> None:
    there = {each.name for each in new.database.branches if not is_over(each.expires)}
    for branch in sorted(old.branches - there):
        if old.deletion == "protect":
            judgement.refused.append(
                f"{old.id}: branch {branch} is gone, and the app was applied last with 'deletion: protect': nothing "
                "was changed. To keep the branch, put it back; to destroy it, put it back, set 'deletion: delete', "
                "apply, then remove it"
            )
        else:
            judgement.lose(
                old.id, f"{old.id}: branch {branch} leaves: it is destroyed with its data"
            )


def _graphs(
    old: AppliedApp, new: App, project: str, allowed: Collection[str], judgement: Judgement
) -> None:
    wanted = {each.id: graph_place(each.graph, project) for each in new.graphs}
    going = []
    for name, place in old.graphs.items():
        if name not in wanted:
            what = "is gone"
            happens = {
                "protect": "",
                "retain": "leaves with 'deletion: retain': the instance stays in Aura, and no stack knows it any more",
                "delete": "leaves: the instance is destroyed with its data",
            }[old.deletion]
        elif place["project"] != wanted[name]["project"]:
            judgement.refused.append(elsewhere(name, place["project"], project))
            continue
        elif changes := place_changes(place, wanted[name]):
            what = f"{changes}, which Aura cannot change"
            happens = (
                f"{what}: the instance and all data in it are destroyed, and an empty one is made"
                if old.deletion == "delete"
                else ""
            )
        else:
            continue
        if happens:
            going.append(name)
            judgement.lose(old.id, f"graph {name}: {happens}")
        else:
            judgement.refused.append(
                f"graph {name}: {what}, and the app was applied last with 'deletion: {old.deletion}': nothing was changed. To "
                "keep its data, put it back; to let it go, put it back, set 'deletion: delete', apply, then change it"
            )
    if len(going) > 1 and old.id not in allowed:
        judgement.refused.append(
            f"{len(going)} graphs of {old.id} would leave or be replaced in one run ({', '.join(going)}): nothing was changed. If "
            f"this is meant, allow them by the app's name: {permission(old.id)}"
        )


def _rotation(old: AppliedApp, new: App, judgement: Judgement) -> None:
    generation = new.database.credentials.generation
    if generation not in {old.generation, old.generation + 1}:
        judgement.refused.append(
            f"{old.id}: credentials.generation goes from {old.generation} to {generation}, which would change the "
            f"password of the login in use: nothing was changed. Write {old.generation + 1} to rotate, or "
            f"{old.generation} to leave it"
        )


def _replication(old: AppliedApp, new: App, judgement: Judgement) -> None:
    if old.logical_replication and not new.database.logical_replication:
        judgement.refused.append(
            f"{old.id}: logical replication is on, and Neon cannot turn it off again: nothing was changed. Write "
            "database.logical_replication: true"
        )


def _api_keys(old: AppliedApp, new: App, allowed: Collection[str], judgement: Judgement) -> None:
    wanted = {key.name: key.generation for key in new.api_keys}
    for name, before in sorted(old.api_keys.items()):
        now = wanted.get(name)
        if now is None and not (
            old.deletion != "protect" or name in old.revoked_keys or old.id in allowed
        ):
            judgement.refused.append(
                f"{old.id}: API key {name} is gone, which would cut off its clients, and the app was applied last with 'deletion: protect': "
                "nothing was changed. To keep the key, put it back; to end it, put it back, revoke its generations (tenantry keys revoke), "
                f"apply, then remove it, or {permission(old.id)}"
            )
        elif now is None:
            line = f"{old.id}: API key {name} leaves: all its generations are revoked"
            if name in old.revoked_keys:
                judgement.told.append(line)
            else:
                judgement.lose(old.id, line)
        elif now not in {before, before + 1}:
            judgement.refused.append(
                f"{old.id}: generation of API key {name} goes from {before} to {now}, which would cut off the clients "
                f"that hold generation {before}: nothing was changed. Write {before + 1} to rotate, or {before} to "
                "leave it"
            )


def _together(
    judgement: Judgement, allowed: Collection[str], most_unnamed: int, *, none_stays: bool
) -> None:
    unnamed = [app for app in judgement.destroyed if app not in allowed]
    if not unnamed or (len(judgement.destroyed) <= most_unnamed and not none_stays):
        return
    count = len(judgement.destroyed)
    apps = sorted(judgement.destroyed)
    names = ",".join(apps)
    what = (
        f"{names} would leave, and nothing that this stack holds would stay"
        if count == 1 and none_stays
        else f"{names} would leave, be replaced or lose branches, graphs or keys, and limits.removals is 0%"
        if count == 1
        else f"{count} apps would leave, be replaced or lose branches, graphs or keys in one run ({names})"
    )
    judgement.refused.append(
        f"{what}: nothing was changed. If the file is complete and this is meant, allow it by name: {permission(*apps)}"
    )
