"""The API on a real catalog, behind a real socket, with tokens of a secret that only the test knows."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
import jwt

from tenantry.selfservice import claims, specs
from tenantry.selfservice.claims import Worker
from tenantry.selfservice.database import pool, transaction
from tenantry.service.app import build
from tenantry.service.offers import Offers
from tenantry.service.settings import Settings
from tenantry.service.tokens import Issuer
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from tenantry.selfservice.database import Connection
    from tenantry.service.app import Addition
    from tests.localcloud.catalog import Catalog

SECRET: Final = b"a secret of the tests, of 32 bytes or more"
ALL: Final = "apps:read apps:write apps:secrets apps:delete"
ISSUER: Final = Issuer(issuer="tests", audience="tenantry", algorithms=("HS256",), secret=SECRET)
REGISTRY: Final = """\
version: 1
defaults: {region: aws-us-east-2, database: {schema: base}}
self_service:
  plans:
    starter: {environment: development}
    pro: {environment: production, deletion: delete, api_keys: [{name: default}]}
    kept: {environment: production, deletion: protect, api_keys: [{name: default}]}
  tenants:
    acme: {plans: [starter, pro, kept], max_apps: 4}
    globex: {plans: [starter]}
  regions: [aws-us-east-2, aws-eu-central-1]
tenants:
  acme: {name: Acme, apps: {filed: {environment: staging, deletion: delete}}}
  globex: {name: Globex, apps: {}}
"""


def token(
    tenant: str | None = "acme", scope: str = ALL, *, subject: str = "ann", **claims_: Any
) -> str:
    """Return a token that the service accepts, unless the claims say otherwise."""
    now = int(time.time())
    values = {"iss": "tests", "aud": "tenantry", "sub": subject, "iat": now, "exp": now + 600}
    values |= {"scope": scope, **({"tenant": tenant} if tenant else {}), **claims_}
    return jwt.encode(values, SECRET, "HS256")


@dataclass
class Api:
    """A service that runs."""

    url: str
    catalog: Catalog

    def client(self, given: str | None = None, **named: Any) -> httpx.Client:
        """Return a client with a token; by default one of acme's with every scope."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {given or token(**named)}"},
            timeout=30,
            # No TLS here, and to read the machine's certificates takes longer than a request.
            verify=False,
        )

    def create(self, name: str = "web", **members: Any) -> dict[str, Any]:
        """Ask for an app and do not wait."""
        with self.client() as client:
            answer = client.post(
                "/v1/apps", json={"app_name": name, **members}, headers={"Prefer": "respond-async"}
            )
        assert answer.status_code == 202, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def work(self, operation: str, outcome: str = "succeeded") -> None:
        """Do an operation as a worker does, without an engine: claim it, and write how it ended."""

        async def end(connection: Connection) -> None:
            own = await claims.claim(connection, UUID(operation), Worker("w", "h", 1))
            assert own is not None
            now = own.operation
            if outcome == "failed":
                assert await claims.fail(connection, own, "lasting", "no such region")
                return
            assert now.spec is not None
            if now.kind == "delete":
                await specs.mark_deleted(connection, now.spec)
            else:
                await specs.mark_observed(connection, now.spec, now.generation or 1)
            assert await claims.succeed(connection, own, changed=True)

        self.run(end)

    def run(self, scenario: Callable[[Connection], Awaitable[None]]) -> None:
        """Do something in a transaction of the catalog."""

        async def whole() -> None:
            async with pool(self.catalog.url) as connections, transaction(connections) as one:
                await scenario(one)

        asyncio.run(whole())


@contextmanager
def api(
    catalog: Catalog,
    folder: Path,
    *,
    registry: str = REGISTRY,
    environment: Mapping[str, str] | None = None,
    addition: Callable[[Settings], Addition] | None = None,
    **settings: Any,
) -> Iterator[Api]:
    """Serve the API from a folder of its own.

    :param addition: makes what is served beside it
    """
    file = folder / "tenants.yaml"
    file.write_text(registry)
    values = {"requests_per_minute": 1_000_000, "wait": 5, "events": 2, **settings}
    made = Settings(catalog=catalog.url, folder=folder, issuers=(ISSUER,), **values)
    (folder / "Pulumi.yaml").write_text("{name: tenantry, runtime: python}\n")
    states = folder / "states"
    states.mkdir(exist_ok=True)
    # An engine that is there, and can do nothing.
    engine = folder / "bin" / "pulumi"
    engine.parent.mkdir(exist_ok=True)
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    own = {"PULUMI_BACKEND_URL": states.as_uri(), "PATH": str(engine.parent)}
    additions = [addition(made)] if addition else []
    variables = {**own, **(environment or {})}
    with served(build(made, Offers(file), variables, additions)) as url:
        yield Api(url, catalog)
