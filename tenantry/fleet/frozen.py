"""Apps that are frozen, in a run over the fleet: no run touches them.

Where the catalog cannot be asked, a run that destroys nothing goes on: it is what keeps apps up, and a freeze is rare.
One that may destroy something is refused: what it destroys may be what somebody wanted to look at.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tenantry.catalog.errors import CatalogError
from tenantry.fleet.errors import FleetError
from tenantry.selfservice.freezes import read_freezes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.project import Project
    from tenantry.selfservice.freezes import Freeze


class FrozenError(FleetError):
    """Nothing is done for an app that is frozen. It may go well later."""

    may_pass = True


@dataclass(frozen=True)
class Frozen:
    """Which apps nobody may touch."""

    by_app: Mapping[str, Freeze] = field(default_factory=dict)
    unread: str = ""
    """Why that is not known; empty where it is."""

    def check(self, *apps: str, destroys: bool = False) -> None:
        """Refuse to touch apps of which one is frozen, and to destroy anything where that is not known.

        :raises FrozenError: in one line
        """
        for app in apps:
            if app in self.by_app:
                raise FrozenError(f"{self.by_app[app]}. To end that: tenantry thaw {app}")
        if self.unread and destroys:
            raise FrozenError(_unknown(self.unread))


def read_frozen(project: Project, namespace: str) -> Frozen:
    """Ask the catalog which apps are frozen; nothing where there is no catalog."""
    if not project.has_catalog:
        return Frozen()
    try:
        url = project.catalog_url()
        return Frozen(read_freezes(url, namespace) if url else {})
    except CatalogError as error:
        return Frozen(unread=str(error).splitlines()[0])


def hold_back(outlook: Outlook, frozen: Frozen, *, may_destroy: bool) -> Outlook:
    """Take what is frozen out of a run, and say so.

    :param may_destroy: whether somebody allowed it to
    """
    held = [task for task in outlook.tasks if task.app in frozen.by_app]
    known = {*(task.app for task in held), *(task.app for task in outlook.unchanged)}
    lines = [f"{each}: no run touches it" for app, each in frozen.by_app.items() if app in known]
    refused: list[str] = []
    if frozen.unread:
        leaves = any(task.purpose == "remove" for task in outlook.tasks)
        (refused if leaves or may_destroy else lines).append(_unknown(frozen.unread))
    return replace(
        outlook,
        tasks=tuple(task for task in outlook.tasks if task.app not in frozen.by_app),
        held=tuple(held),
        notes=(*lines, *outlook.notes),
        refused=(*outlook.refused, *refused),
        frozen=frozen,
    )


def _unknown(why: str) -> str:
    return f"whether an app is frozen cannot be read ({why}): nothing is destroyed before the catalog answers"
