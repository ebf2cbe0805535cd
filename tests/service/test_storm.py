"""Many apps asked for at once, while workers are killed, answers get lost and Neon limits: nothing twice, nothing lost.

`python -m pytest -m faults tests/service/test_storm.py -s` prints a table; `STORM_APPS`, `STORM_LEASE` (seconds) and
`STORM_SEED` change it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tenantry.catalog.migrating import migrate
from tests.engine.workspace import projects
from tests.localcloud.catalog import Catalog
from tests.localcloud.support import Account
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import local_cloud
from tests.service.api import ALL, token
from tests.service.folder import ServiceFolder
from tests.service.test_serve import ISSUER, serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.localcloud_fixture import LocalCloud

APPS = int(os.environ.get("STORM_APPS", "60"))
CLIENTS = 20
WORKERS = 3
SLOTS = 4
LEASE = int(os.environ.get("STORM_LEASE", "12"))
SEED = int(os.environ.get("STORM_SEED", "1"))
KILL_EVERY = 10.0
LOST = 0.05
LIMIT = 700
SECONDS = 1500

pytestmark = pytest.mark.faults


@dataclass
class Killer:
    """Kills a worker with all that it started, every few seconds, and starts it again."""

    folder: ServiceFolder
    options: tuple[str, ...]
    chance: random.Random
    environment: Mapping[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        self.workers = [self._worker(number) for number in range(WORKERS)]

    def run(self) -> None:
        while not self.stop.wait(KILL_EVERY):
            number = self.chance.randrange(WORKERS)
            for pid in tree(self.workers[number].pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.workers[number].wait()
            self.kills += 1
            self.workers[number] = self._worker(number)

    def end(self) -> None:
        self.stop.set()
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.wait(120)

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        return self.folder.worker(
            f"worker-{number}", *self.options, environment=dict(self.environment)
        )


def tree(root: int) -> list[int]:
    """A process and all that descends from it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def ask(url: str, name: str, until: float) -> tuple[str, float]:
    """Ask for an app as a patient client does, and return how it stands and after how many seconds."""
    began = time.monotonic()
    with httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token(scope=ALL, exp=int(time.time()) + 7200)}"},
        timeout=90,
        verify=False,
    ) as client:
        answer = None
        while answer is None or answer.status_code >= 500 or answer.status_code == 429:
            with suppress(httpx.TransportError):
                answer = client.post(
                    "/v1/apps",
                    json={"app_name": name},
                    headers={"Idempotency-Key": f"storm-{name}"},
                )
            if answer is None or answer.status_code >= 429:
                time.sleep(1)
            assert time.monotonic() < until, f"{name}: {answer and answer.text}"
        assert answer.status_code in {201, 202, 502}, answer.text
        place = answer.headers.get("Location", "")
        assert place, answer.text
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                found = client.get(place).json()
                if found["status"] in {"ready", "failed"}:
                    return found["status"], time.monotonic() - began
            time.sleep(1)
    raise AssertionError(f"{name} does not end: {found}")


def test_every_app_ends_ready_or_failed_and_none_is_made_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    options = ("--neon-rate-limit", str(LIMIT))
    with (
        local_cloud(tmp_path / "catalog") as beside,
        beside.client() as own,
        local_cloud(tmp_path / "cloud", *options, pace=0.5) as cloud,
        faults_of(cloud) as faults,
    ):
        place = Account(beside, own).project(
            "catalog", branch={"role_name": "keeper", "database_name": "catalog"}
        )
        catalog = Catalog(place.uri)
        migrate(catalog.url)
        folder = ServiceFolder.make(tmp_path / "service", cloud, catalog)
        # As with the real clouds: no quicker looks, and Neon's own budget.
        folder.project.environment |= ISSUER | {"NEON_API_RPM": "", "NEON_POLL_SECONDS": ""}
        faults.order(
            "* /**", {"kind": "drop", "when": "after"}, probability=LOST, seed=SEED, count=None
        )
        faults.forget_requests()
        worker = (
            "--slots",
            str(SLOTS),
            "--lease",
            f"{LEASE}s",
            "--pause",
            "2s",
            "--attempts",
            "20",
        )
        killer = Killer(folder, worker, chance, {})
        service = serve(folder, "--json")
        assert service.stderr is not None
        url = service.stderr.readline().removeprefix("serving: ").strip()
        drain = threading.Thread(target=service.stderr.read, daemon=True)
        drain.start()
        began = time.monotonic()
        killer.begin()
        killing = threading.Thread(target=killer.run)
        killing.start()
        try:
            with ThreadPoolExecutor(CLIENTS) as clients:
                names = [f"app-{number}" for number in range(APPS)]
                ended = list(clients.map(lambda name: ask(url, name, began + SECONDS), names))
        finally:
            killer.stop.set()
            killing.join()
            killer.end()
            service.terminate()
            service.wait(60)
            drain.join()
            service.stderr.close()
        took = time.monotonic() - began
        counted = faults.requests("neon")
        lost = len(faults.injected())
        faults.withdraw()
        found = look(folder, cloud, ended, took)
        found |= {
            "kills": killer.kills,
            "answers lost": lost,
            "requests": counted["total"],
            "busiest minute": counted["highest"]["60s"],
            "429": counted["statuses"].get("429", 0),
        }
        sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
        # The budget was never exceeded, by all workers together.
        assert found["busiest minute"] <= LIMIT
        assert found["429"] == 0
        catalog.close()


def look(
    folder: ServiceFolder, cloud: LocalCloud, ended: list[tuple[str, float]], took: float
) -> dict[str, Any]:
    """Hold rows, states and cloud against each other, and return the figures."""
    rows = folder.catalog.ask(
        "SELECT status, error_text, attempts, interruptions FROM tenantry.operations"
    )
    held = projects(cloud, folder.namespace)
    ready = sum(status == "ready" for status, _ in ended)
    # 0 lost: each has ended, with a reason where it failed.
    assert len(rows) == APPS
    assert {row[0] for row in rows} <= {"succeeded", "failed"}
    assert all(row[1] for row in rows if row[0] == "failed"), rows
    assert ready == sum(row[0] == "succeeded" for row in rows)
    # 0 duplicates, and 0 orphans: what is in the cloud is what the states have.
    assert len(held) == len(set(held))
    strays = folder.project.tenantry("orphans", "--json")
    assert strays.returncode == 0, strays.stdout + strays.stderr
    assert json.loads(strays.stdout)["orphans"] == []
    assert folder.locks() == []
    if ready == APPS:
        assert len(held) == APPS
        plan = folder.project.command("plan", "--json")
        assert plan.returncode == 0, plan.stdout + plan.stderr
    return {
        "apps": APPS,
        "outcomes": dict(Counter(status for status, _ in ended)),
        "seconds": round(took),
        "median seconds an app": round(sorted(seconds for _, seconds in ended)[APPS // 2]),
        "attempts": sum(row[2] for row in rows),
        "interruptions": sum(row[3] for row in rows),
        "projects": len(held),
    }
