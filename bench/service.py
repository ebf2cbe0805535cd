"""What the service adds to a bare route, how soon work begins, and what an idle API takes.

    python -m bench.service [--apps 10000] [--rounds 60] [--requests 50] [--jobs 20] [--json]

The API runs as `tenantry serve` beside a catalog with that many apps. `GET /v1/apps/{id}` is asked for one app after
another, by one client on one connection, with a token that is signed with RSA. In turns with it, in the same run, a
bare route of FastAPI that asks the database the same question on a connection of its own, and gives a document of the
same size (`bare`); and one that asks nothing (`empty`). From enqueue to start: jobs are put into the queue one by one,
with a worker that waits.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from tenantry.catalog.migrating import migrate
from tenantry.selfservice import operations, queue_tables
from tenantry.selfservice.database import pool, transaction
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.operations import Wanted
from tenantry.selfservice.queue import Queue
from tests.localcloud.support import Account
from tests.localcloud_fixture import local_cloud, localcloud
from tests.service.folder import ServiceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud

MEGABYTE = 1024 * 1024
_BARE = """
import os
from fastapi import FastAPI
from psycopg import AsyncConnection
from tenantry.selfservice.database import parameters
from tenantry.selfservice.specs import _LISTED

app = FastAPI()
kept = []

@app.get("/empty/{{app_id}}")
async def empty(app_id: str) -> dict[str, object]:
    return {document}

@app.get("/v1/apps/{{app_id}}")
async def look(app_id: str) -> dict[str, object]:
    if not kept:
        kept.append(await AsyncConnection.connect(os.environ["TENANTRY_CATALOG_URL"], autocommit=True, **parameters()))
    await (await kept[0].execute(_LISTED + " WHERE s.id = %s", (app_id,))).fetchone()
    return {document}
"""


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one request."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        """Summarize."""
        cuts = statistics.quantiles(seconds, n=100)
        return cls(round(cuts[49] * 1000, 3), round(cuts[98] * 1000, 3))


@dataclass(frozen=True)
class Report:
    """All of it."""

    apps: int
    get: Latency
    bare: Latency
    empty: Latency
    ratio: float
    """Of the p50 of `get` to that of `bare`."""
    start: Latency
    """From the commit that has the job to a worker that has it."""
    idle_mb: float
    """The API's proportional set size before its first request, in 10**6 / 1.048576 bytes."""
    asked_mb: float
    """The same after them."""


class Client:
    """One connection that is kept."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = dict(headers)

    def get(self, path: str) -> float:
        """Ask once and return the seconds."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begun
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return took


def fill(catalog: Catalog, namespace: str, apps: int) -> list[str]:
    """Add apps that are ready, with an operation and its events each, and return their ids."""
    with catalog.connect() as connection:
        connection.execute(
            "WITH made AS (INSERT INTO tenantry.app_specs (namespace, tenant, name, plan, owner, observed_generation) "
            "SELECT %s, 'acme', 'app-' || n, 'starter', 'bench', 1 FROM generate_series(1, %s) n RETURNING id, namespace, name) "
            "INSERT INTO tenantry.operations (spec, namespace, app_id, kind, status, actor, attempts, ended_at) "
            "SELECT id, namespace, 'acme/' || name, 'create', 'succeeded', 'bench', 1, now() FROM made",
            (namespace, apps),
        )
        connection.execute("ANALYZE tenantry.app_specs")
        connection.execute("ANALYZE tenantry.operations")
        rows = connection.execute("SELECT id FROM tenantry.app_specs").fetchall()
    return [str(row[0]) for row in rows]


@contextmanager
def running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """Run a server for a block, and give its process id."""
    process = subprocess.Popen(command, cwd=folder, env=dict(environment))
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def wait_for(port: int, path: str) -> None:
    """Wait until a server answers."""
    for _ in range(200):
        try:
            Client(port, {}).get(path)
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers at {port}")


def memory_mb(process: int) -> float:
    """Return what a process takes."""
    found: int = psutil.Process(process).memory_full_info().pss
    return round(found / MEGABYTE, 1)


async def starts(url: str, namespace: str, jobs: int) -> list[float]:
    """Put operations into the queue one by one, and return how long each waited for a worker that was free."""
    began: dict[UUID, asyncio.Future[float]] = {}
    loop = asyncio.get_running_loop()

    async def perform(operation: UUID) -> None:
        began[operation].set_result(loop.time())

    waited = []
    async with pool(url) as connections, Queue(url) as queue:
        work = asyncio.create_task(queue.work(perform, name="bench", slots=2, finish_seconds=1))
        await asyncio.sleep(2)
        for number in range(jobs):
            async with transaction(connections) as one:
                wanted = Wanted(
                    namespace=namespace, app_id=f"acme/b{number}", kind="update", actor="bench"
                )
                asked = await operations.ask(one, wanted)
                began[asked.id] = loop.create_future()
                await wake(queue, one, asked.id, key=asked.key)
            committed = loop.time()
            waited.append(max(0.0, await began[asked.id] - committed))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    return waited


def free_port() -> int:
    """Return a port that nobody has now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def measure(cloud: LocalCloud, folder: Path, options: argparse.Namespace) -> Report:
    """Do all of it."""
    from tests.localcloud.catalog import Catalog

    with cloud.client() as client:
        account = Account(cloud, client)
        project = account.project(
            "catalog", branch={"role_name": "keeper", "database_name": "catalog"}
        )
    catalog = Catalog(project.uri)
    migrate(catalog.url)
    queue_tables.migrate(catalog.url)
    service = ServiceFolder.make(folder / "service", cloud, catalog)
    ids = fill(catalog, service.namespace, options.apps)
    given = json.loads(
        localcloud("token", cloud.data, "--tenant", "acme", "--scope", "apps:read", "--json").stdout
    )["token"]
    facts = json.loads(localcloud("status", cloud.data, "--json").stdout)
    environment = {
        **service.project.environment,
        "TENANTRY_ISSUER_URL": facts["issuer_url"],
        "TENANTRY_SERVICE_REQUESTS_PER_MINUTE": "1000000",
    }
    port, other = free_port(), free_port()
    authorization = {"Authorization": f"Bearer {given}"}
    serve = [sys.executable, "-m", "tenantry", "serve", "--bind", f"127.0.0.1:{port}", "--json"]
    with running(serve, service.project.folder, environment) as api:
        wait_for(port, "/readyz")
        time.sleep(3)
        idle = memory_mb(api)
        asking = Client(port, authorization)
        asking.get(f"/v1/apps/{ids[0]}")
        document = _document(port, authorization, ids[0])
        (folder / "bare_route.py").write_text(_BARE.format(document=repr(document)))
        bare = [
            *(sys.executable, "-m", "uvicorn", "bare_route:app", "--port", str(other)),
            *("--log-level", "warning", "--no-access-log", "--timeout-keep-alive", "75"),
        ]
        path = os.pathsep.join([str(folder), str(Path.cwd())])
        with running(bare, folder, {**environment, "PYTHONPATH": path}):
            wait_for(other, f"/v1/apps/{ids[0]}")
            plain = Client(other, authorization)
            took: dict[str, list[float]] = {"get": [], "bare": [], "empty": []}
            chosen = random.Random(1)  # noqa: S311  # the same apps in each run
            for turn in range(options.rounds + 1):
                for name, client_, path in (
                    ("get", asking, "/v1/apps/"),
                    ("bare", plain, "/v1/apps/"),
                    ("empty", plain, "/empty/"),
                ):
                    for _ in range(options.requests):
                        seconds = client_.get(f"{path}{chosen.choice(ids)}")
                        if turn:
                            took[name].append(seconds)
        asked = memory_mb(api)
    waited = asyncio.run(starts(catalog.url, service.namespace, options.jobs))
    get, bare_, empty = (Latency.of(took[name]) for name in ("get", "bare", "empty"))
    return Report(
        apps=options.apps,
        get=get,
        bare=bare_,
        empty=empty,
        ratio=round(get.p50 / bare_.p50, 2),
        start=Latency.of(waited),
        idle_mb=idle,
        asked_mb=asked,
    )


def _document(port: int, headers: Mapping[str, str], app: str) -> object:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/v1/apps/{app}", headers=dict(headers))
    return json.loads(connection.getresponse().read())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with local_cloud(folder / "cloud") as cloud:
            report = measure(cloud, folder, options)
    if options.json:
        print(json.dumps(asdict(report)))
        return
    for name in ("get", "bare", "empty", "start"):
        each = getattr(report, name)
        print(f"{name:6} p50 {each.p50:8.3f} ms   p99 {each.p99:8.3f} ms")
    print(f"get takes {report.ratio} times bare, with {report.apps} apps")
    print(f"the API takes {report.idle_mb} MB idle, {report.asked_mb} MB after the requests")


if __name__ == "__main__":
    main()
