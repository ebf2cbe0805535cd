"""API keys, as text and as JSON."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.catalog.listing import ListedKey
    from tenantry.catalog.revocation import Revocation
    from tenantry.catalog.verification import Verdict


def row_as_text(row: ListedKey) -> list[str]:
    """Give a row of `tenantry keys list` as the cells of a table."""
    return [
        row.app,
        row.name,
        str(row.generation),
        row.prefix,
        ",".join(row.scopes),
        row.state,
        _moment(row.created),
        _moment(row.expires),
        _moment(row.last_used),
    ]


def row_as_json(row: ListedKey) -> dict[str, object]:
    """Give a row of `tenantry keys list` as JSON."""
    return {
        "app": row.app,
        "name": row.name,
        "generation": row.generation,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "state": row.state,
        "created": _iso(row.created),
        "expires": _iso(row.expires),
        "last_used": _iso(row.last_used),
    }


def verdict_as_text(verdict: Verdict) -> str:
    """Say in one line whether a key is valid, and whose it is."""
    if verdict.state == "unknown":
        return "unknown: the catalog has no such key"
    end = f", until {_moment(verdict.expires_at)}" if verdict.expires_at else ""
    return (
        f"{verdict.state}: {verdict.app} {verdict.name}, generation {verdict.generation}, "
        f"scopes {','.join(verdict.scopes)}{end}"
    )


def verdict_as_json(verdict: Verdict) -> dict[str, object]:
    """Give a verdict as JSON."""
    return {
        "state": verdict.state,
        "namespace": verdict.namespace,
        "app": verdict.app,
        "name": verdict.name,
        "generation": verdict.generation,
        "scopes": list(verdict.scopes),
        "expires_at": _iso(verdict.expires_at),
    }


def outcome_text(outcome: Revocation | None, generation: int) -> tuple[str | None, str]:
    """Return what became of a generation in the catalog: a word for programs, and a sentence."""
    from tenantry.catalog.session import NOT_CONFIGURED

    if outcome is None:
        return None, f"{NOT_CONFIGURED}; nothing was revoked there"
    if generation in outcome.revoked:
        return "revoked", "revoked"
    if generation in outcome.before:
        return "revoked before", f"was revoked before, {_moment(outcome.before[generation])}"
    return "missing", "is not in the catalog"


def _moment(at: datetime | None) -> str:
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
