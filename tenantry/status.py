"""How the apps of a registry stand: in the stack, and in the cloud."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tenantry.neon import GONE
from tenantry.registry import App


@dataclass(frozen=True)
class AppStatus:
    """One row of `tenantry status`; a dash stands for what is not known before the app is applied."""

    app: str
    project: str = "-"
    region: str = "-"
    host: str = "-"
    database: str = "-"
    status: str = "not applied"

    def as_json(self) -> dict[str, str]:
        """Give the row as JSON."""
        return asdict(self)


def app_statuses(
    apps: Iterable[App], applied: Mapping[str, Mapping[str, Any]], computes: Mapping[str, str]
) -> list[AppStatus]:
    """Set the registry against the stack and the cloud.

    :param apps: the registry's apps
    :param applied: the stack's output `apps`, by app id
    :param computes: the state of each project's compute, by project id; what is missing was not asked
    """
    rows = []
    wanted = {app.id: app for app in apps}
    for app_id in [*wanted, *(a for a in applied if a not in wanted)]:
        facts = applied.get(app_id)
        if facts is None:
            rows.append(AppStatus(app_id, region=wanted[app_id].region))
            continue
        status = computes.get(facts["project"], "applied")
        if app_id not in wanted:
            status += ", not in the registry"
        rows.append(
            AppStatus(
                app_id, facts["project"], facts["region"], facts["host"], facts["database"], status
            )
        )
    return rows


def ways_out(rows: Iterable[AppStatus]) -> list[str]:
    """Say for each app whose project is gone what gets it back: one line each."""
    return [
        f"{row.app}: its project {row.project} was deleted outside of this stack: recover it in Neon (7 days), or make an "
        "empty one: pulumi up --refresh"
        for row in rows
        if row.status == GONE
    ]
