"""The revision of the catalog's tables that this version works with, found without Alembic."""

from pathlib import Path
from typing import Final

from tenantry.schemas.history import read_history

HISTORY: Final = Path(__file__).parent / "history"


def newest() -> str:
    """Return the newest revision's id."""
    return read_history("the catalog", [HISTORY / "versions"]).resolve("head")
