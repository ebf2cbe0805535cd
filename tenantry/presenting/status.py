"""How the apps of a registry stand: in the stack, and in the cloud."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tenantry.neon.client import GONE, computes
from tenantry.presenting.printing import print_table
from tenantry.registry import App

_HEADS: Final = [
    *("app", "project", "region", "host", "database", "schema", "services", "keys", "status"),
]
_LIBPQ_SCHEMES: Final = {"postgresql", "postgres"}
"""The schemes that psql knows (PostgreSQL manual, "Connection URIs")."""


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
        "empty one: tenantry up -- --refresh"
        for row in rows
        if row.status == GONE
    ]


def ask_statuses(
    apps: Iterable[App], applied: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str]
) -> list[AppStatus]:
    """Ask Neon once for the computes, and set the registry against the stack and the answer.

    :param apps: the registry's apps
    :param applied: the stack's output `apps`, by app id
    :param environment: the variables that a run has: where Neon is, and the key; without one Neon is not asked
    :raises NeonError: the key is refused, or Neon does not answer
    """
    states = computes((facts["project"] for facts in applied.values()), environment)
    return app_statuses(apps, applied, states)


def print_statuses(rows: Sequence[AppStatus], apps: Iterable[App]) -> None:
    """Print the table, and what to do next.

    :param apps: the registry's apps
    """
    print_table(_HEADS, [row.as_text() for row in rows])
    print()
    for line in ways_out(rows) or [f"Next: {next_step(rows, apps)}"]:
        print(line)


def next_step(rows: Iterable[AppStatus], apps: Iterable[App]) -> str:
    """Return the command that is worth a try after a look at the table: the way into the first app that is there."""
    schemes = {app.id: app.database.url_scheme for app in apps}
    if not schemes:
        return f"{_command()} new TENANT/APP"
    there = [row.app for row in rows if row.app in schemes and row.project != "-"]
    libpq = [each for each in there if schemes[each] in _LIBPQ_SCHEMES]
    if libpq:
        return f'psql "$({_command()} url {libpq[0]})"'
    return f"{_command()} url {there[0]}" if there else f"{_command()} up"


def _command() -> str:
    """Name this command as the reader's shell finds it: by its path where it lies below the current folder."""
    called = Path(sys.argv[0]).absolute()
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else called.name
