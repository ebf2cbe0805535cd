"""How the apps of a registry stand: in the stack, and in the cloud."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tenantry.neon.client import GONE
from tenantry.registry import App


@dataclass(frozen=True)
class AppStatus:
    """One row of `tenantry status`; a dash stands for what is not known before the app is applied."""

    app: str
    project: str = "-"
    region: str = "-"
    host: str = "-"
    database: str = "-"
    schema: str = "-"
    """The revision that the app's schema is at."""
    services: Mapping[str, str] = field(default_factory=dict)
    """The status of each service that the app is registered with."""
    keys: Mapping[str, list[int]] = field(default_factory=dict)
    """The valid generations of each API key."""
    status: str = "not applied"

    def as_json(self) -> dict[str, object]:
        """Give the row as JSON."""
        return asdict(self)

    def as_text(self) -> list[str]:
        """Give the row as the cells of a table: `auth, storage (disabled)`, `default 1+2` for two generations."""
        services = (
            name if status == "active" else f"{name} ({status})"
            for name, status in self.services.items()
        )
        keys = (f"{name} {'+'.join(map(str, each)) or '-'}" for name, each in self.keys.items())
        cells = asdict(self) | {"services": ", ".join(services), "keys": ", ".join(keys)}
        return [cell or "-" for cell in cells.values()]


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
                app_id,
                facts["project"],
                facts["region"],
                facts["host"],
                facts["database"],
                facts.get("revision", "-"),
                facts.get("services", {}),
                facts.get("apiKeys", {}),
                status,
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
