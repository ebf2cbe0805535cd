"""The revision of the catalog's tables that this version works with, found without Alembic."""

from pathlib import Path
from typing import Final

from tenantry.schemas.history import History, read_history

HISTORY: Final = Path(__file__).parent / "history"


def newest() -> str:
    """Return the newest revision's id."""
    return _history().resolve("head")


def known() -> frozenset[str]:
    """Return the ids of all revisions."""
    return frozenset(_history().revisions)


def _history() -> History:
    return read_history("the catalog", [HISTORY / "versions"])
