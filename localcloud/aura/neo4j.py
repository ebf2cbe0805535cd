"""A Neo4j on this machine that answers the queries instead, by its own Query API."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from localcloud.settings import NEO4J_VARIABLE as VARIABLE

if TYPE_CHECKING:
    import httpx

_FORM = "http://USER:PASSWORD@127.0.0.1:PORT[/DATABASE]"
_DATABASE = "neo4j"
_SECONDS = 60.0


class Neo4jUrlError(Exception):
    """The URL cannot be used; the message is one line, says what to do, and does not repeat the URL."""


class Neo4j:
    """A Neo4j HTTP endpoint on loopback. All instances share the database that its URL names (default ``neo4j``)."""

    def __init__(self, url: str) -> None:
        """Read the URL. Raises Neo4jUrlError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise Neo4jUrlError(f"{VARIABLE}: must have the form {_FORM}") from None
        database = unquote(parts.path.strip("/")) or _DATABASE
        if parts.scheme not in {"http", "https"} or not parts.hostname or "/" in database:
            raise Neo4jUrlError(f"{VARIABLE}: must have the form {_FORM}")
        if not _is_loopback(parts.hostname):
            raise Neo4jUrlError(f"{VARIABLE}: must name a loopback address ({_FORM})")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.address = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        self._database = database
        self._auth = (
            (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        )
        self._client: httpx.AsyncClient | None = None

    async def query(self, body: bytes) -> tuple[int, bytes, str]:
        """Send a Query API request on; return status, body and content type of the answer.

        Raises ConnectionError if there is no answer.
        """
        import httpx

        client = self._client or self.connect()
        try:
            answer = await client.post(
                f"/db/{self._database}/query/v2",
                content=body,
                headers={"Content-Type": "application/json", "Accept": "application/json"},
            )
        except httpx.HTTPError as error:
            raise ConnectionError(
                f"the Neo4j at {self.address} ({VARIABLE}) does not answer: {type(error).__name__}"
            ) from error
        return (
            answer.status_code,
            answer.content,
            answer.headers.get("content-type", "application/json"),
        )

    def connect(self, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
        """Make the client. ``transport`` takes the network's place."""
        import httpx

        self._client = httpx.AsyncClient(
            base_url=self.address,
            auth=self._auth,
            timeout=_SECONDS,
            trust_env=False,
            transport=transport,
        )
        return self._client

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
