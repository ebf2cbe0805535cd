"""An Aura API without a server, at a time that the test sets; every answer is checked against the API's document."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from localcloud import settings
from localcloud.aura.app import build
from localcloud.aura.cloud import Aura
from localcloud.state import State
from tests.aura_document import checked

if TYPE_CHECKING:
    from pathlib import Path

    from localcloud.aura.neo4j import Neo4j

Json = dict[str, Any]
START = 1_800_000_000.0
"""15 January 2027, 08:00 UTC."""
CREATE, CHANGE, LAG = 100.0, 10.0, 2.0


@dataclass
class Clock:
    """Unix seconds that go on only when told."""

    seconds: float = START

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Account:
    """A client of the API."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    neo4j: Neo4j | None = None
    asked: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = settings.fresh()
        made.aura_port = 50_000
        made.aura_create_seconds, made.aura_change_seconds = CREATE, CHANGE
        made.aura_lag_seconds = LAG
        for name, value in self.asked.items():
            setattr(made, name, value)
        self.settings = made
        self.open()
        self.token: str | None = None

    def open(self) -> None:
        """Read the state from its file, as a start does; what was there before is not closed, as by a kill."""
        self.state = State(self.path)
        self.aura = Aura(self.settings, self.state, neo4j=self.neo4j, now=self.clock)
        self._app: Any = build(self.aura)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request as it is."""

        async def checked_later(response: httpx.Response) -> None:
            await response.aread()
            checked(response)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self._app),
                base_url="http://127.0.0.1",
                event_hooks={"response": [checked_later]},
            ) as client:
                return await client.request(method, url, **options)

        return asyncio.run(send())

    def fetch_token(self, **options: Any) -> httpx.Response:
        """Ask for a token; the options take the place of the right ones."""
        credentials = (self.settings.aura_client_id, self.settings.aura_client_secret)
        right: Json = {"data": {"grant_type": "client_credentials"}, "auth": credentials}
        return self.request("POST", "/oauth/token", **right | options)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request with a token, and with a body unless it is None."""
        if self.token is None:
            self.token = self.fetch_token().json()["access_token"]
        headers = {"Authorization": f"Bearer {self.token}"}
        if method in {"POST", "PATCH"}:
            headers["Content-Type"] = "application/json"
        if body is not None:
            options["json"] = body
        return self.request(
            method, f"/v1{path}", headers=headers | options.pop("headers", {}), **options
        )

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request that has to succeed, and return its data."""
        answer = self.send(method, path, body, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    def refusal(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> tuple[int, str, str | None]:
        """Send a request that has to fail in the API's own form; return status, reason and field."""
        answer = self.send(method, path, body, **options)
        fault = answer.json()["errors"][0]
        return answer.status_code, fault["reason"], fault.get("field")

    def wanted(self, **fields: Any) -> Json:
        """Return the body of a creation."""
        return {
            "name": "graph",
            "type": "professional-db",
            "cloud_provider": "gcp",
            "region": "europe-west1",
            "memory": "2GB",
            "version": "5",
            "tenant_id": self.settings.aura_tenant_id,
        } | fields

    def create(self, **fields: Any) -> Json:
        """Begin to create an instance, and return the answer."""
        made: Json = self.ask("POST", "/instances", self.wanted(**fields))
        return made

    def running(self, **fields: Any) -> Json:
        """Create an instance and wait until it runs and its first snapshot is complete."""
        made = self.create(**fields)
        self.clock.seconds += CREATE + CHANGE
        return made

    def free(self, **fields: Any) -> Json:
        """Create a free instance and wait until it runs."""
        return self.running(type="free-db", memory="1GB", **fields)

    def instance(self, made: Json) -> Json:
        """Return an instance as a GET shows it."""
        shown: Json = self.ask("GET", f"/instances/{made['id']}")
        return shown

    def status(self, made: Json) -> str:
        """Return an instance's status as a GET shows it."""
        return str(self.instance(made)["status"])

    def query(
        self, made: Json, statement: str, parameters: Json | None = None, **options: Any
    ) -> httpx.Response:
        """Send a query with the credentials that the creation gave; the options take their place."""
        right: Json = {
            "auth": (made["username"], made["password"]),
            "json": {"statement": statement, "parameters": parameters or {}},
        }
        database = options.pop("database", made["username"])
        return self.request("POST", f"/db/{database}/query/v2", **right | options)
