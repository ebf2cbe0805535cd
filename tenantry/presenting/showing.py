"""All that is known of one app by registry and state, without a secret, and where secrets are asked for. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tenantry.planning.fields import changes
from tenantry.registry.declared import declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tenantry.registry import App
    from tenantry.states.apps import Holding
    from tenantry.states.history import Update


@dataclass(frozen=True)
class Secret:
    """Where a secret is asked for."""

    what: str
    command: str


@dataclass(frozen=True)
class Shown:
    """What is known of an app; what is not known is null."""

    app: str
    registry: Mapping[str, Any] | None
    """Where it stands and what it says; null where the registry has no such app."""
    names: Mapping[str, str]
    """What it is called in the clouds, by kind."""
    state: Mapping[str, Any] | None
    """What the stack holds; null where none does."""
    pending: tuple[str, ...]
    """What the registry says otherwise than what was applied last, in its own words."""
    compute: str | None
    """Whether its compute is awake."""
    secrets: tuple[Secret, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)

    def as_text(self) -> Iterator[str]:
        """Give it as lines: a heading for each part, and what is in it below, a fact a line."""
        yield self.app
        for heading, part in (
            ("registry", self.registry),
            ("names", self.names),
            ("state", self.state),
        ):
            if part is None:
                yield f"{heading}: none"
                continue
            yield f"{heading}:"
            yield from (f"  {key}: {_written(value)}" for key, value in part.items())
        yield f"compute: {self.compute or 'not known'}"
        yield f"not applied yet: {'; '.join(self.pending) or 'nothing'}"
        yield "secrets, where they are asked for:"
        yield from (f"  {each.what}: {each.command}" for each in self.secrets)


def shown(
    app_id: str,
    app: App | None,
    holding: Holding | None,
    compute: str | None,
    current: str,
    update: Update | None = None,
) -> Shown:
    """Put together what is known.

    :param app: as the registry has it
    :param holding: as a stack has it
    :param compute: the state of its compute; None where it was not asked
    :param current: the stack that commands are about; of another one they need to be told
    :param update: the last one of the stack that holds it; None where there was none
    """
    before = holding.applied.get("declared") if holding else None
    after = declared(app) if app else None
    pending = tuple(each.text for each in changes(before, after)) if holding else ()
    return Shown(
        app_id,
        _registered(app) if app else None,
        _names(app) if app else {},
        _held(holding, update) if holding else None,
        pending if app or not holding else ("it left the registry",),
        compute,
        tuple(_secrets(app_id, holding, current)) if holding else (),
    )


def formerly_of(app: App, holding: Holding) -> tuple[str, ...]:
    """Return the ids that an app had before in the stack that holds it, the newest first."""
    held = str(holding.applied.get("app") or app.id)
    formerly = tuple(holding.applied.get("formerly") or ())
    return formerly if held == app.id else (held, *formerly)


def _registered(app: App) -> dict[str, Any]:
    return {
        "place": str(app.location),
        **({"renamed_from": list(app.renamed_from)} if app.renamed_from else {}),
        "tenant": app.tenant_name,
        "contact": app.contact,
        "environment": app.environment,
        "region": app.region,
        "deletion": app.deletion,
        "generation": app.database.credentials.generation,
        "services": [
            each.name if each.enabled else f"{each.name} (disabled)" for each in app.services
        ],
        "api_keys": {each.name: each.generation for each in app.api_keys},
        "branches": [each.name for each in app.database.branches],
        "graphs": [each.id for each in app.graphs],
    }


def _names(app: App) -> dict[str, str]:
    names = app.names
    return {
        "stack": names.stack,
        "project": names.project,
        "database": names.database,
        "schema": names.schema,
        "owner": names.owner_role,
        "group": names.group_role,
        "login": names.login_role(app.database.credentials.generation),
    }


def _held(holding: Holding, update: Update | None) -> dict[str, Any]:
    return {
        "stack": holding.stack,
        "written": holding.written.isoformat(timespec="seconds"),
        "last_run": _run(update) if update else None,
        "resources": holding.resources,
        "deletion": holding.applied.get("deletion"),
        **holding.facts,
    }


def _run(update: Update) -> dict[str, Any]:
    return {
        "result": update.told,
        "ended": update.ended.isoformat(timespec="seconds") if update.ended else None,
        "by": update.actor,
    }


def _secrets(app_id: str, holding: Holding, current: str) -> Iterator[Secret]:
    here = "" if holding.stack == current else f"PULUMI_STACK={holding.stack} "
    if holding.facts:
        yield Secret("connection URL", f"{here}tenantry url {app_id}")
        yield Secret("connection URL through the pooler", f"{here}tenantry url {app_id} --pooled")
    for key, generations in (holding.facts.get("apiKeys") or {}).items():
        if generations:
            yield Secret(f"API key {key}", f"{here}tenantry keys show {app_id} {key}")
    if holding.facts.get("graphs"):
        yield Secret(
            "user and password of the graphs",
            f"{here}pulumi stack output graphs --show-secrets --json",
        )


def _written(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case dict() | list() if not value:
            return "-"
        case dict():
            return ", ".join(f"{key} {_written(each)}" for key, each in value.items())
        case list():
            return ", ".join(map(_written, value))
        case _:
            return str(value)
