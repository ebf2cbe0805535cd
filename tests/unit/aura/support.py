"""A clock that moves only when somebody sleeps, and an Aura API that answers what a test tells it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tenantry.aura.client import AuraClient
from tenantry.aura.clock import Clock
from tenantry.aura.judging import Wanted
from tenantry.aura.settings import AuraSettings, Polling

TENANT = "6e6bbbe2-5678-5f8a-1234-b1f62f08b98f"
SECRET = "client-secret-of-a-test"
PASSWORD = "password-of-a-test"
NOW = 1_800_000_000.0


class FakeTime:
    """Time that passes in `sleep` only."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now
        self.slept: list[float] = []
        self.clock = Clock(wall=lambda: self.now, elapsed=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def settings(folder: Path, **more: Any) -> AuraSettings:
    known = {
        "tenant_id": TENANT,
        "client_id": "client-id",
        "client_secret": SECRET,
        "base_url": "https://api.example/v1",
        "token_url": "https://api.example/oauth/token",
        "polling": Polling(first=10, most=10, deadline=900),
        "state_folder": folder / "aura",
    }
    return AuraSettings(**{**known, **more})


Route = Callable[[httpx.Request], httpx.Response]


class Api:
    """Answers each route from a list of answers, the last of them again and again; keeps the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.requests: list[httpx.Request] = []
        self.tokens = 0

    def on(self, route: str, *answers: Any) -> "Api":
        self.answers[route] = list(answers)
        return self

    def sent(self, route: str) -> list[httpx.Request]:
        return [r for r in self.requests if f"{r.method} {r.url.path}" == route]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        route = f"{request.method} {request.url.path}"
        if route == "POST /oauth/token" and route not in self.answers:
            self.tokens += 1
            return httpx.Response(
                200, json={"access_token": f"token-{self.tokens}", "expires_in": 3600}
            )
        answers = self.answers.get(route)
        if not answers:
            raise AssertionError(f"unexpected {route}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        # A new object for each request: a response is read once.
        return httpx.Response(
            answer.status_code, headers=dict(answer.headers), content=answer.content
        )

    def client(self, folder: Path, time: FakeTime | None = None, **more: Any) -> AuraClient:
        return AuraClient(
            settings(folder, **more),
            transport=httpx.MockTransport(self),
            clock=(time or FakeTime()).clock,
        )


def data(value: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"data": value}, headers=headers)


def refusal(status: int, message: str, reason: str, **headers: str) -> httpx.Response:
    return httpx.Response(
        status, json={"errors": [{"message": message, "reason": reason}]}, headers=headers
    )


def instance(**more: Any) -> dict[str, Any]:
    known = {
        "id": "db1d1234",
        "name": "tenantry--acme--web",
        "status": "running",
        "connection_url": "neo4j+s://db1d1234.databases.example",
        "tenant_id": TENANT,
        "cloud_provider": "gcp",
        "region": "us-central1",
        "type": "professional-db",
        "memory": "8GB",
        "storage": "16GB",
        "created_at": "2026-11-22T05:00:00Z",
    }
    return {**known, **more}


WANTED = Wanted(
    target="acme/web",
    name="tenantry--acme--web",
    type="professional-db",
    cloud="gcp",
    region="us-central1",
    memory="8GB",
    version="5",
    tenant_id=TENANT,
)

LIST, CREATE = "GET /v1/instances", "POST /v1/instances"

ONE = "/v1/instances/db1d1234"

GET, PATCH, DELETE = f"GET {ONE}", f"PATCH {ONE}", f"DELETE {ONE}"

CREATED = data(
    {
        "id": "db1d1234",
        "connection_url": "neo4j+s://db1d1234.databases.example",
        "username": "neo4j",
        "password": PASSWORD,
        "created_at": "2026-11-22T05:00:00Z",
    },
    202,
)

GONE = refusal(404, "DB not found: db1d1234", "db-not-found")

BUSY = refusal(409, "busy: resuming", "ongoing-database-operation")

OLD = "2020-01-01T00:00:00Z"

YOUNG = "2027-01-15T08:00:00Z"  # NOW
