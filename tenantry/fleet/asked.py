"""Apps that were asked for in a run over the fleet: which are left as they are, and when none may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.selfservice.asked_rows import read_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tenantry.fleet.project import Project
    from tenantry.fleet.selection import Selection
    from tenantry.registry import App
    from tenantry.registry.applied import AppliedApp
    from tenantry.registry.source import Reading

_SHOWN: Final = 20


def judge_asked(reading: Reading, leaving: Iterable[AppliedApp], allowed: Collection[str]) -> str:
    """Say in one line why apps that are in neither the file nor a row may not leave; empty where they may.

    A catalog that cannot be read, or has lost rows, is no reason to destroy anything, as a file that was cut short is
    none. An app whose deletion was asked for has a row, and leaves by the rules for all.

    :param leaving: apps that have a stack, and are not in the registry as it was read
    :param allowed: those that may go nevertheless
    """
    apps = [app for app in leaving if app.id not in allowed]
    if reading.unread and apps:
        return (
            f"{_some(apps)} would leave, and may be in a row that cannot be read ({reading.unread}): nothing was changed. Run it again "
            "when the catalog answers, select others with --only, or allow it by name: --allow-destroy APP"
        )
    lost = [app for app in apps if app.row and app.id not in reading.leaving]
    if not lost:
        return ""
    what = (
        "the file has no self_service"
        if reading.registry.self_service is None
        else "no row of the catalog has it"
    )
    return (
        f"{_some(lost)} would leave: asked for once, and {what}: nothing was changed. Restore what is missing (or the catalog's URL), "
        "select others with --only, or allow it by name: --allow-destroy APP"
    )


def row_changed(project: Project, reading: Reading, app: App) -> bool:
    """Tell whether the row of an app is another than it was when a run over the fleet read it.

    The service works on it at the same time. An app that was deleted meanwhile would be made anew.

    :param reading: what the run read; of one app that stands for the whole registry it has no rows
    :raises TenantryError: the row cannot be read
    """
    if app.row is None:
        return False
    known = next((row for row in reading.rows if row.id == app.row), None)
    url = project.catalog_url()
    if known is None or url is None:
        return False
    return read_row(url, reading.registry.namespace, app.id) != known


def left_alone(reading: Reading, selection: Selection) -> list[str]:
    """Say which apps that were asked for no run touches, and why."""
    kept = list(selection.left(reading.kept))
    lines = [
        f"{reading.kept[app]}. The app is left as it is; to let it go: --allow-destroy {app}"
        for app in kept[:_SHOWN]
    ]
    if more := len(kept) - len(lines):
        lines.append(f"{counted(more, 'more app')} that were asked for are left as they are")
    if reading.unread:
        lines.append(
            f"the rows of apps that were asked for cannot be read ({reading.unread}): no app leaves in this run"
        )
    return lines


def _some(apps: list[AppliedApp]) -> str:
    ids = sorted(app.id for app in apps)
    shown = ", ".join(ids[:_SHOWN])
    if len(ids) == 1:
        return shown
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{len(ids)} apps ({shown}{more})"
