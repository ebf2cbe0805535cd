"""Where the catalog is."""

from typing import Final
from urllib.parse import urlsplit

VARIABLE: Final = "TENANTRY_CATALOG_URL"
"""The environment's name for the URL. It comes first: what it says is kept nowhere."""
CONFIG: Final = "tenantry:catalogUrl"
"""The stack's name for it; a secret."""

NAME: Final = "catalog"
"""What stands for the app's id in a message: the catalog belongs to no app."""


def label(url: str) -> str:
    """Name the catalog at a libpq URI without its user, its password and its parameters: `db.example:5432/tenantry`."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
