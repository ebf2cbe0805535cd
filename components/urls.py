"""Connection URLs for PostgreSQL."""

from urllib.parse import quote


def connection_url(*, scheme: str, user: str, password: str, host: str, database: str) -> str:
    """Build the URL of a database that is reached over TLS.

    The form is libpq's (PostgreSQL manual, "Connection URIs"); a scheme other than `postgresql` is the wish of
    the program that reads the URL. TLS is required and its certificate left to the reader's trust store, as in
    the URLs that Neon gives out.
    """
    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{scheme}://{credentials}@{host}/{quote(database, safe='')}?sslmode=require"
