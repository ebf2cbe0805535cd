"""Whether an app may leave: the rule that stands between an edited file and a destroyed database."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tenantry.registry.models import App, Deletion


@dataclass(frozen=True)
class AppliedApp:
    """An app as a stack holds it: its id, and the `deletion` that was in force when it was last applied."""

    id: str
    deletion: Deletion


class RemovalError(Exception):
    """An app would be destroyed that its last applied registry protects; one line for each."""


def check_removals(
    applied: Iterable[AppliedApp], selected: Iterable[App], registry: Path
) -> list[str]:
    """Refuse to lose a protected app, and say what happens to the others that leave.

    :param applied: what the stack holds now
    :param selected: what it is to hold
    :param registry: the registry's file, for the message
    :return: one line for each app that leaves and may
    :raises RemovalError: an app leaves whose `deletion` was `protect`
    """
    staying = {app.id for app in selected}
    leaving = [app for app in applied if app.id not in staying]
    refused = [
        f"{registry}: {app.id} is gone, and was applied last with 'deletion: protect': nothing was changed. "
        "To keep it, put it back; to destroy it, put it back with 'deletion: delete', apply, then remove it"
        for app in leaving
        if app.deletion == "protect"
    ]
    if refused:
        raise RemovalError("\n".join(refused))
    return [
        f"{app.id} leaves with 'deletion: retain': its Neon project stays in the cloud, and no stack knows it any more"
        if app.deletion == "retain"
        else f"{app.id} leaves with 'deletion: delete': its Neon project and all data in it are destroyed"
        for app in leaving
    ]
