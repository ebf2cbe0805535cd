"""Where the catalog is."""

import re
from typing import Final

from tenantry.catalog.errors import CatalogError
from tenantry.surroundings import CATALOG

VARIABLE: Final = CATALOG
"""The environment's name for the URL. It comes first: what it says is kept nowhere."""
CONFIG: Final = "tenantry:catalogUrl"
"""The stack's name for it; a secret."""

NO_CATALOG: Final = (
    "no catalog is configured: no app or service is registered, and API keys cannot be verified; set "
    "TENANTRY_CATALOG_URL, or pulumi config set --secret tenantry:catalogUrl"
)
NAME: Final = "catalog"
"""What stands for the app's id in a message: the catalog belongs to no app."""


NO_URL: Final = (
    "the catalog's URL is not one of PostgreSQL: write postgresql://user:password@host/database, with what is neither letter nor "
    f"digit in the password percent-encoded, into {VARIABLE} or {CONFIG}"
)

# As libpq reads it (PostgreSQL, 32.1.1.2): the user and the password end at the first @. They may hold ? and #, which
# end that part of other URLs.
_URL: Final = re.compile(r"postgres(?:ql)?://(?:[^@/]*@)?(?P<place>[^?#@]*)(?:\?.*)?", re.DOTALL)


def label(url: str) -> str:
    """Name the catalog at a libpq URI by its place alone: `db.example:5432/tenantry`.

    :raises CatalogError: it is no such URI; the message does not hold it
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise CatalogError(NO_URL)
    return found["place"]
