"""What a run would destroy, and whether it may: the rule between an edited file and a lost database."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenantry.registry.models import App, Deletion


@dataclass(frozen=True)
class AppliedApp:
    """An app as a stack holds it: what was in force when it was last applied."""

    id: str
    deletion: Deletion
    region: str
    postgres_version: int


class DestructionError(Exception):
    """The run would destroy what the last applied registry keeps; one line for each app."""


def check_destruction(
    applied: Iterable[AppliedApp], selected: Iterable[App], registry: Path
) -> list[str]:
    """Refuse to destroy what was not released in an earlier run, and say what is destroyed otherwise.

    An app's project is destroyed when the app leaves, and when it changes what Neon cannot change about a project.
    Either takes two reviewed steps: `deletion: delete` applied, then the change. An app that was applied with
    `deletion: retain` may leave, since its project stays; it may not be made anew beside the old one.

    :param applied: what the stack holds now
    :param selected: what it is to hold
    :param registry: the registry's file, for the message
    :return: one line for each app that leaves or is replaced, and may
    :raises DestructionError: with one line for each app that may not
    """
    wanted = {app.id: app for app in selected}
    refused: list[str] = []
    told: list[str] = []
    for app in applied:
        if app.id not in wanted:
            _leaving(app, refused, told)
        elif changes := _unchangeable(app, wanted[app.id]):
            _replaced(app, changes, refused, told)
    if refused:
        raise DestructionError("\n".join(f"{registry}: {line}" for line in refused))
    return told


def _leaving(app: AppliedApp, refused: list[str], told: list[str]) -> None:
    match app.deletion:
        case "protect":
            refused.append(
                f"{app.id} is gone, and was applied last with 'deletion: protect': nothing was changed. To keep it, "
                "put it back; to destroy it, put it back with 'deletion: delete', apply, then remove it"
            )
        case "retain":
            told.append(
                f"{app.id} leaves with 'deletion: retain': its Neon project stays in the cloud, and no stack knows "
                "it any more"
            )
        case "delete":
            told.append(
                f"{app.id} leaves with 'deletion: delete': its Neon project and all data in it are destroyed"
            )


def _replaced(app: AppliedApp, changes: str, refused: list[str], told: list[str]) -> None:
    if app.deletion == "delete":
        told.append(
            f"{app.id}: {changes}, which Neon cannot change: its project and all data in it are destroyed, and an "
            "empty one is made"
        )
    else:
        refused.append(
            f"{app.id}: {changes}, which Neon cannot change, and the app was applied last with "
            f"'deletion: {app.deletion}': nothing was changed. To keep the data, put the old value back; to start "
            "with an empty project, set 'deletion: delete', apply, then change it"
        )


def _unchangeable(app: AppliedApp, wanted: App) -> str:
    changes = []
    if app.region != wanted.region:
        changes.append(f"region from {app.region} to {wanted.region}")
    if app.postgres_version != wanted.database.postgres_version:
        changes.append(
            f"PostgreSQL from {app.postgres_version} to {wanted.database.postgres_version}"
        )
    return " and ".join(changes)
