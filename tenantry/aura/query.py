"""Neo4j's Query API v2: Cypher over HTTPS.

Source: Neo4j's documentation, "Query API"; the mapping of URIs is Aura's, which serves HTTPS on 443 only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import TypeAdapter

from tenantry.aura.errors import AuraError
from tenantry.hiding import hidden
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

T = TypeVar("T")
Access: TypeAlias = Literal["Read", "Write"]

HEALTH: Final = "RETURN 1 AS ok"
_BOLT_PORT: Final = 7687
_HTTP_PORT: Final = 7474
_TLS: Final = frozenset({"neo4j+s", "neo4j+ssc", "bolt+s", "bolt+ssc"})
_PLAIN: Final = frozenset({"neo4j", "bolt"})
_CONNECT_SECONDS: Final = 10.0
_ERROR: Final = 400


class QueryError(AuraError):
    """A query that was refused. The text has the code and the database's message, and no password."""

    def __init__(self, host: str, status: int, code: str, message: str) -> None:
        """Make it of an answer.

        :param code: such as `Neo.ClientError.Security.Unauthorized`; empty where the answer has none
        """
        super().__init__(f"{host}: {status} {': '.join(part for part in (code, message) if part)}")
        self.status = status
        self.code = code


class QueryUnreachableError(AuraError):
    """The database does not answer."""

    may_pass = True


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query, in their order."""

    fields: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    bookmarks: tuple[str, ...] = ()
    """To be given to a later query that must see what this one wrote."""
    counters: Mapping[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Return each row by its fields' names."""
        return [dict(zip(self.fields, row, strict=True)) for row in self.values]

    def of(self, kind: type[T]) -> list[T]:
        """Return each row as a `kind`: a pydantic model, a dataclass or a TypedDict.

        :raises pydantic.ValidationError: a row is none
        """
        adapter: TypeAdapter[list[T]] = TypeAdapter(list[kind])  # type: ignore[valid-type] # a type, known at run time
        return adapter.validate_python(self.rows())


def http_url(uri: str) -> str:
    """Return where a Neo4j URI's Query API is.

    `neo4j+s://host[:7687]`, also `+ssc` and `bolt`, is `https://host`; another port is kept. Unencrypted,
    `neo4j://host:port` is `http://host:port`, and `http://host:7474` where the port is Bolt's or none. `http` and
    `https` stay.

    :raises ValueError: not a URI of these schemes with a host, or one with a user in it
    """
    try:
        parts = urlsplit(uri)
        host, port, scheme = parts.hostname, parts.port, parts.scheme
    except ValueError:
        host, port, scheme = None, None, ""
    if not host or parts.username or scheme not in {*_TLS, *_PLAIN, "http", "https"}:
        # Not shown: it may hold a password.
        raise ValueError("not the URI of a Neo4j: write neo4j+s://host, without user and password")
    name = f"[{host}]" if ":" in host else host
    if scheme in _TLS or scheme == "https":
        return f"https://{name}" + (f":{port}" if port not in {None, _BOLT_PORT, 443} else "")
    default = _HTTP_PORT if scheme in _PLAIN else 80
    actual = default if port in {None, _BOLT_PORT} else port
    return f"http://{name}:{actual}"


def home_database(username: str) -> str:
    """Return the database of a new instance: named as its user, which is `neo4j` or the instance's id."""
    return username or "neo4j"


@dataclass(frozen=True)
class Connection:
    """One database and who asks it."""

    uri: str
    username: str
    password: str = field(repr=False)
    database: str = ""
    """The home database where empty."""
    seconds: float = 30.0
    """How long a phase of a query's HTTP exchange may take; connecting gets 10 at most."""

    @property
    def url(self) -> str:
        """Where queries are posted."""
        database = self.database or home_database(self.username)
        return f"{http_url(self.uri)}/db/{quote(database, safe='')}/query/v2"

    def client_options(self) -> dict[str, Any]:
        """Return what httpx's clients take."""
        import httpx

        return {
            "auth": (self.username, self.password),
            "headers": {"Accept": "application/json"},
            "mounts": direct_mounts(),
            "follow_redirects": False,  # credentials would go where nobody said
            "timeout": httpx.Timeout(self.seconds, connect=min(self.seconds, _CONNECT_SECONDS)),
        }


class QueryClient:
    """Runs queries; safe to share between threads."""

    def __init__(
        self, connection: Connection, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Connect to nothing yet.

        :param transport: what carries the requests, for tests
        """
        import httpx

        self.connection = connection
        self._client = httpx.Client(transport=transport, **connection.client_options())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        access: Access = "Write",
        bookmarks: Sequence[str] = (),
        counters: bool = False,
    ) -> QueryResult:
        """Run one statement in a transaction of its own.

        :param access: `Read` may be answered by any member of a cluster
        :param bookmarks: of queries whose writes must be seen
        :param counters: also say what was written
        :raises QueryError: the database refused it, also after its answer had begun
        :raises QueryUnreachableError: no answer; a write may have happened
        """
        import httpx

        body = _body(statement, parameters, access, bookmarks, counters=counters)
        try:
            response = self._client.post(self.connection.url, json=body)
        except httpx.RequestError as error:
            raise _unreachable(self.connection, error) from None
        return _result(self.connection, response)

    def check(self) -> None:
        """Raise as `run` does, unless the database answers `RETURN 1 AS ok`."""
        _expect_health(self.connection, self.run(HEALTH, access="Read"))


def _body(
    statement: str,
    parameters: Mapping[str, Any] | None,
    access: Access,
    bookmarks: Sequence[str],
    *,
    counters: bool,
) -> dict[str, Any]:
    body: dict[str, Any] = {"statement": statement, "accessMode": access}
    if parameters:
        body["parameters"] = dict(parameters)
    if bookmarks:
        body["bookmarks"] = list(bookmarks)
    if counters:
        body["includeCounters"] = True
    return body


def _result(connection: Connection, response: httpx.Response) -> QueryResult:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    host = response.request.url.host
    errors = body.get("errors") if isinstance(body, dict) else None
    # An answer that had begun as a success may end in an error.
    if errors and isinstance(errors, list) and isinstance(errors[0], dict):
        code, message = str(errors[0].get("code", "")), str(errors[0].get("message", ""))
        raise QueryError(host, response.status_code, code, _hidden(connection, message))
    if response.status_code >= _ERROR:
        raise QueryError(host, response.status_code, "", response.reason_phrase)
    match body:
        case {"data": {"fields": list() as fields, "values": list() as values}}:
            # Older servers send a single row flat.
            rows = values if all(isinstance(row, list) for row in values) else [values]
            if all(len(row) == len(fields) for row in rows):
                return QueryResult(
                    tuple(str(name) for name in fields),
                    tuple(tuple(row) for row in rows),
                    tuple(body.get("bookmarks") or ()),
                    body.get("counters") or {},
                )
    raise QueryError(host, response.status_code, "", "the answer is not that of a Query API")


def _hidden(connection: Connection, text: str) -> str:
    return hidden(" ".join(text.split()), connection.password)


def _unreachable(connection: Connection, error: Exception) -> QueryUnreachableError:
    said = " ".join(str(error).split()) or type(error).__name__
    host = urlsplit(http_url(connection.uri)).netloc
    return QueryUnreachableError(f"{host}: no answer: {hidden(said, connection.password)}")


def _expect_health(connection: Connection, result: QueryResult) -> None:
    if result.values != ((1,),):
        host = urlsplit(http_url(connection.uri)).netloc
        raise QueryUnreachableError(f"{host}: {HEALTH} was answered with something else")
