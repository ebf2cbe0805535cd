"""API keys, as text."""

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


def verdict_as_text(verdict: Verdict) -> str:
    """Say in one line whether a key is valid, and whose it is."""
    if verdict.state == "unknown":
        return "unknown: the catalog has no such key"
    end = f", until {_moment(verdict.expires_at)}" if verdict.expires_at else ""
    return (
        f"{verdict.state}: {verdict.app} {verdict.name}, generation {verdict.generation}, "
        f"scopes {','.join(verdict.scopes)}{end}"
    )


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
