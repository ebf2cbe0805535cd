"""The fleet as one table: the registry's apps and those that were asked for, with how each stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tenantry.registry import Registry
    from tenantry.selfservice.overview import AskedApp, FrozenApp, Overview, Place

Status = Literal[
    "failed",
    "interrupted",
    "left",
    "changed",
    "new",
    "elsewhere",
    "deleting",
    "provisioning",
    "updating",
    "unknown",
    "applied",
]
"""How an app stands, the worst first.

`elsewhere`: it is applied, and has no stack of its own: another stack holds it, with others. `provisioning`, `updating`
and `deleting` are of an app that was asked for and has an operation; `unknown`: the states
were not read yet; the others are the words of `tenantry fleet status`.
"""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
_RANKS: Final = {status: rank for rank, status in enumerate(STATUSES)}
_NOWHERE: Final = "in no file"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the history of an app's stack says, as `tenantry fleet status --json` tells it."""

    app: str
    stack: str
    standing: Status
    ended: datetime | None
    """When its last update did."""
    result: str
    actor: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Standing:
        """Take one entry of the command's answer."""
        ended = told["ended"]
        return cls(
            told["app"],
            told["stack"],
            told["standing"],
            datetime.fromisoformat(ended) if ended else None,
            told["result"],
            told["actor"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One app."""

    app: str
    """`tenant/app`."""
    tenant: str
    name: str
    environment: str
    region: str
    version: int | None
    """Of Postgres; None where the registry does not have the app."""
    declared: str
    """Where: `tenants.yaml:12`, or `asked for, plan starter`."""
    status: Status
    reason: str
    """Why its last operation did not succeed; empty where it did."""
    ended: datetime | None
    """When the last run ended."""
    result: str
    actor: str
    """Who was behind the last run."""
    host: str
    project: str
    frozen: str
    """By whom and why no run touches it; empty where runs may."""
    row: str | None
    """The id of the row that it was asked for in."""

    @property
    def rank(self) -> int:
        """The worst has 0."""
        return _RANKS[self.status]


@dataclass(frozen=True)
class Sources:
    """What a table is made of."""

    registry: Registry
    """The file's; apps that were asked for are in `overview`."""
    overview: Overview | None
    """None where the catalog did not answer."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By the app's id; empty where the states were not read yet."""


def joined(sources: Sources) -> tuple[Row, ...]:
    """Return a row for each app of the file, of the catalog and of the states, by the apps' ids."""
    asked: Mapping[str, AskedApp] = sources.overview.asked if sources.overview else {}
    filed = {app.id: app for app in sources.registry.apps}
    every = sorted({*filed, *asked, *sources.standings})
    return tuple(_row(app, sources, asked.get(app)) for app in every)


def _row(app: str, sources: Sources, asked: AskedApp | None) -> Row:
    tenant, _, name = app.partition("/")
    overview = sources.overview
    place = overview.places.get(app) if overview else None
    standing = sources.standings.get(app)
    environment, region, version, declared = _declared(app, sources.registry, asked)
    return Row(
        app=app,
        tenant=tenant,
        name=name,
        environment=environment,
        region=region or (place.region if place else ""),
        version=version,
        declared=declared,
        status=_status(asked, standing, place),
        reason=(asked.reason or "") if asked and asked.status != "ready" else "",
        ended=standing.ended if standing else None,
        result=standing.result if standing else "",
        actor=standing.actor if standing else "",
        host=place.host if place else "",
        project=place.project if place else "",
        frozen=_frozen(overview.frozen.get(app) if overview else None),
        row=asked.row if asked else None,
    )


def _declared(
    app: str, registry: Registry, asked: AskedApp | None
) -> tuple[str, str, int | None, str]:
    """Return environment, region, version of Postgres and the place where the app is declared."""
    if asked is not None:
        plans = registry.self_service.plans if registry.self_service else {}
        plan = plans.get(asked.plan)
        settings: Mapping[str, Any] = plan.settings if plan else {}
        version = settings.get("database", {}).get("postgres_version", 17) if plan else None
        region = asked.region or (plan.region if plan else None) or ""
        return settings.get("environment", ""), region, version, f"asked for, plan {asked.plan}"
    if registry.declares(app):
        found = registry.app(app)
        return (
            found.environment,
            found.region,
            found.database.postgres_version,
            # Readers of a page need not know where the service's folder is.
            f"{Path(found.location.file).name}:{found.location.line}",
        )
    return "", "", None, _NOWHERE


def _status(asked: AskedApp | None, standing: Standing | None, place: Place | None) -> Status:
    if asked is not None and asked.status not in {"ready", "deleted"}:
        # Of a row, the six words of the API; these four are ours as well.
        return asked.status  # type: ignore[return-value]
    if standing is not None and standing.standing == "new" and place is not None:
        return "elsewhere"
    if standing is not None:
        return standing.standing
    return "applied" if asked is not None else "unknown"


def _frozen(freeze: FrozenApp | None) -> str:
    if freeze is None:
        return ""
    until = f" until {freeze.until:%Y-%m-%d %H:%M %Z}" if freeze.until else ""
    return f"frozen{until} by {freeze.actor}: {freeze.reason}"


def of_tenant(rows: Iterable[Row], tenant: str | None) -> tuple[Row, ...]:
    """Return those that one tenant sees; all where none is named."""
    return tuple(rows) if tenant is None else tuple(each for each in rows if each.tenant == tenant)
