"""Which kind of failure an error of PostgreSQL is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tenantry.hiding import hidden
from tenantry.provisioning.errors import (
    BusyError,
    DeniedError,
    MissingError,
    ProvisioningError,
    RejectedError,
    UnavailableError,
)

if TYPE_CHECKING:
    import psycopg

# PostgreSQL, appendix A: codes, and the classes that their first two characters name.
_CODES: Final[dict[str, type[ProvisioningError]]] = {
    "40001": BusyError,  # serialization_failure
    "40P01": BusyError,  # deadlock_detected
    "55006": BusyError,  # object_in_use
    "55P03": BusyError,  # lock_not_available
    "53300": BusyError,  # too_many_connections
    "42501": DeniedError,  # insufficient_privilege
    "3D000": MissingError,  # invalid_catalog_name: no such database
}
_CLASSES: Final[dict[str, type[ProvisioningError]]] = {
    "08": UnavailableError,  # connection exception
    "57P": UnavailableError,  # operator intervention: the server is starting, stopping, or ended this session
    "28": DeniedError,  # invalid authorization
    "53": BusyError,  # insufficient resources
}
# libpq gives no code where no session came about; these it takes from the server's own words. Missing is said of the
# database alone: a migration whose database is missing counts as gone, and a file of libpq's may be missing too.
_WORDS: Final[dict[re.Pattern[str], type[ProvisioningError]]] = {
    re.compile(r"password authentication failed|no pg_hba\.conf entry"): DeniedError,
    re.compile(r'database ".*" does not exist'): MissingError,
    re.compile(r"too many connections|too many clients"): BusyError,
}


def kind_of(error: psycopg.Error) -> type[ProvisioningError]:
    """Return the kind of a driver's error: by its SQLSTATE, and without one by what libpq says."""
    return kind_of_state(error.sqlstate, str(error))


def kind_of_state(state: str | None, text: str = "") -> type[ProvisioningError]:
    """Return the kind of a failure with this SQLSTATE; None where the server gave none."""
    if state:
        by_class = (_CLASSES.get(state[:length]) for length in (3, 2))
        return _CODES.get(state) or next(filter(None, by_class), RejectedError)
    for words, kind in _WORDS.items():
        if words.search(text):
            return kind
    return UnavailableError


def reason_of(error: psycopg.Error, *, password: str | None = None) -> str:
    """Return the message proper in one line: a DETAIL may hold the values of a row.

    :param password: what the connection was opened with; libpq's words may quote it
    """
    said = " ".join((error.diag.message_primary or str(error)).split())
    return hidden(said, password or "")


def password_in(url: str) -> str | None:
    """Return the password of a connection URL, None where it has none.

    :raises psycopg.ProgrammingError: it is no URL of a database; libpq's own words quote it
    """
    # Imported here: a failure's kind is told without a driver.
    from psycopg.conninfo import conninfo_to_dict

    password = conninfo_to_dict(url).get("password")
    return str(password) if password else None
