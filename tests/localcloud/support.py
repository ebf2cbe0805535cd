"""What the tests do over and over: make a project, wait, connect."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import psycopg

from tenantry.schemas.connecting import TenantDatabase

if TYPE_CHECKING:
    import httpx

    from tests.localcloud_fixture import LocalCloud

Json = dict[str, Any]
_SECONDS = 20


@dataclass
class Account:
    """A client of a local cloud."""

    cloud: LocalCloud
    client: httpx.Client

    def send(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        """Send one request; nothing is tried again."""
        return self.client.request(method, path, json=body, params=params or None)

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Json:
        """Send a request that has to succeed."""
        response = self.send(method, path, body, **params)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        answer: Json = response.json()
        return answer

    def refusal(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, str]:
        """Send a request that has to fail, and return how."""
        response = self.send(method, path, body, **params)
        assert not response.is_success, f"{method} {path} succeeded: {response.text}"
        return response.status_code, response.json()["message"]

    def project(self, name: str = "p", **fields: Any) -> Project:
        """Make a project and wait until it can be used."""
        made = self.ask(
            "POST",
            "/projects",
            {"project": {"name": name, "org_id": self.cloud.neon_org_id, **fields}},
        )
        project = Project(self, made)
        project.wait()
        return project


@dataclass
class Project:
    """A project as the answer to its creation described it."""

    account: Account
    made: Json

    @property
    def id(self) -> str:
        return str(self.made["project"]["id"])

    @property
    def path(self) -> str:
        return f"/projects/{self.id}"

    @property
    def branch(self) -> str:
        return f"{self.path}/branches/{self.made['branch']['id']}"

    @property
    def endpoint(self) -> str:
        return f"{self.path}/endpoints/{self.made['endpoints'][0]['id']}"

    @property
    def uri(self) -> str:
        return str(self.made["connection_uris"][0]["connection_uri"])

    @property
    def pooled_uri(self) -> str:
        parameters = self.made["connection_uris"][0]["connection_parameters"]
        return self.uri.replace(parameters["host"], parameters["pooler_host"])

    @property
    def app(self) -> TenantDatabase:
        """Its database as that of an app, which owns the project."""
        uri = urlsplit(self.uri)
        return TenantDatabase(
            app="acme/shop",
            host=uri.hostname or "",
            port=uri.port or 5432,
            name=uri.path.strip("/"),
            owner=uri.username or "",
            password=unquote(uri.password or ""),
            schema="app",
            group="app_rw",
        )

    def wait(self) -> list[Json]:
        """Wait until no operation is under way, and return all, the newest first."""
        deadline = time.monotonic() + _SECONDS
        while True:
            operations: list[Json] = self.account.ask("GET", f"{self.path}/operations")[
                "operations"
            ]
            if all(each["status"] not in {"running", "scheduling"} for each in operations):
                return operations
            assert time.monotonic() < deadline, operations
            time.sleep(0.01)

    def do(self, method: str, path: str, body: Any = None, **params: Any) -> Json:
        """Send a request that has to succeed, and wait for its operations to finish well."""
        answer = self.account.ask(method, path, body, **params)
        self.wait()
        for operation in answer.get("operations", []):
            path = f"{self.path}/operations/{operation['id']}"
            done = self.account.ask("GET", path)["operation"]
            assert done["status"] == "finished", done
        return answer

    def suspend(self) -> None:
        """Suspend the default endpoint."""
        self.do("POST", f"{self.endpoint}/suspend")

    def state(self) -> str:
        """Return the default endpoint's state."""
        return str(self.account.ask("GET", self.endpoint)["endpoint"]["current_state"])

    def delete(self) -> None:
        """Delete the project."""
        self.wait()
        self.account.ask("DELETE", self.path)


def query(uri: str, *statements: str) -> list[Any]:
    """Run statements on a connection of their own and return the last one's rows."""
    rows: list[Any] = []
    with psycopg.connect(uri, autocommit=True, connect_timeout=10) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
    return rows
