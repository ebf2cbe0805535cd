"""Connections to PostgreSQL that say everything themselves: no variable of libpq changes where they go, or how.

The process may be somebody else's service, whose environment stays as it is.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

_SAID: Final[Mapping[str, Any]] = {
    # libpq's own defaults. An empty text is "none", and keeps a variable out.
    "application_name": "tenantry",
    "channel_binding": "prefer",
    "client_encoding": "UTF8",
    "connect_timeout": 10,
    "gssdelegation": "0",
    "gssencmode": "disable",
    "gsslib": "",
    "hostaddr": "",
    "krbsrvname": "postgres",
    "load_balance_hosts": "disable",
    "max_protocol_version": "3.0",
    "min_protocol_version": "3.0",
    "options": "",
    "passfile": "",
    "port": "5432",
    # All of them.
    "require_auth": "none,password,md5,gss,sspi,scram-sha-256",
    "requirepeer": "",
    "ssl_max_protocol_version": "",
    "ssl_min_protocol_version": "TLSv1.2",
    "sslcert": "",
    "sslcertmode": "allow",
    "sslcompression": "0",
    "sslcrl": "",
    "sslcrldir": "",
    "sslkey": "",
    "sslmode": "prefer",
    "sslnegotiation": "postgres",
    "sslrootcert": "",
    "sslsni": "1",
    "target_session_attrs": "any",
}
"""What libpq would else take from a variable (`PQconndefaults`). Host, database, user and password are in each URL."""
_SERVICE: Final = "PGSERVICE"
_lock: Final = threading.Lock()


def connect(url: str = "", /, **parameters: Any) -> psycopg.Connection[Any]:  # noqa: ANN401 psycopg's own
    """Connect as `psycopg.connect` does.

    :param url: a URI of libpq, or its parameters as one text
    :param parameters: those of libpq and of psycopg; they go before the URL's
    :raises psycopg.Error: it is no such text, or there is no connection
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    given = {**conninfo_to_dict(url), **parameters}
    said = {name: value for name, value in _SAID.items() if name in _known()}
    with _no_service():
        return psycopg.connect("", **{**said, **given})


@cache
def _known() -> frozenset[str]:
    from psycopg.pq import Conninfo

    # Another libpq may not have all of them.
    return frozenset(each.keyword.decode() for each in Conninfo.get_defaults())


@contextmanager
def _no_service() -> Iterator[None]:
    """Keep a service out, which no parameter can: one that is not found is an error."""
    if _SERVICE not in os.environ:
        yield
        return
    with _lock:
        service = os.environ.pop(_SERVICE, None)
        try:
            yield
        finally:
            if service is not None:
                os.environ[_SERVICE] = service
