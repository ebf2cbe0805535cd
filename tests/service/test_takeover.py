"""A worker dies, is held up or cut off in the middle: another one goes on, nothing is made twice, no lock is left."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.engine.workspace import projects
from tests.localcloud_faults import Faults, faults_of
from tests.service.folder import ServiceFolder, end
from tests.service.machines import machines, relayed

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from uuid import UUID

    from tests.localcloud.catalog import Catalog
    from tests.localcloud.support import Account
    from tests.localcloud_fixture import LocalCloud
    from tests.service.machines import Machine

SECONDS = int(os.environ.get("TAKEOVER_LEASE", "6"))
STOPPED = int(os.environ.get("TAKEOVER_STOPPED", "9"))
"""Seconds; longer than a lease."""
CREATE = "POST /projects"


@dataclass
class Scene:
    """An app whose create is held in the middle by the cloud, and the workers that come to it."""

    cloud: LocalCloud
    folder: ServiceFolder
    faults: Faults
    before: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(
        self, name: str, machine: Machine | None = None, lease: int = SECONDS
    ) -> subprocess.Popen[bytes]:
        options = ("--lease", f"{lease}s", "--pause", "1s")
        self.workers.append(self.folder.worker(name, *options, machine=machine))
        return self.workers[-1]

    def held(self, app: UUID) -> tuple[int, int]:
        """Wait until a create is held, and return the pids of the worker and of its engine, as it knows them."""
        assert self.faults.injected(self.before, wait=30), self.folder.log("one")
        rows = self.folder.catalog.ask(
            "SELECT pid, engine_pid FROM tenantry.operations WHERE spec = %s AND status = 'running'",
            app,
        )
        (row,) = rows
        return row[0], row[1]

    def check(self, app: UUID, interruptions: int = 1) -> None:
        """It is ready, there is one project, and nothing is left."""
        made = self.folder.wait(app, "ready", "failed", seconds=90)
        assert made.status == "ready", (made.error_text, self.folder.log("two"))
        assert len(projects(self.cloud, self.folder.namespace)) == 1
        assert self.folder.locks() == []
        assert self.folder.catalog.ask(
            "SELECT status, interruptions, past_engines FROM tenantry.operations WHERE spec = %s",
            app,
        ) == [("succeeded", interruptions, [])]
        # Nothing is to be done: what the one made and the other finished is one whole.
        done = self.folder.project.command("plan", "--json")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def scene(tmp_path: Path, cloud: LocalCloud, database: Catalog) -> Iterator[Scene]:
    folder = ServiceFolder.make(tmp_path / "service", cloud, database)
    with faults_of(cloud) as faults:
        made = Scene(cloud, folder, faults, faults.last())
        yield made
        for worker in made.workers:
            if worker.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGCONT)
                worker.kill()
                worker.wait()


@pytest.mark.faults
def test_a_worker_and_its_engine_are_killed(scene: Scene) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    scene.worker("one")
    worker, engine = scene.held(app)
    for pid in (worker, engine):
        os.kill(pid, signal.SIGKILL)
    # The request was sent, and lands.
    scene.faults.withdraw(order)
    scene.worker("two")
    scene.check(app)


def test_a_machine_is_lost_and_another_one_frees_exactly_its_lock(scene: Scene) -> None:
    with (
        machines("machine-one", "machine-two") as (one, two),
        relayed(scene.cloud.neon_api_url) as api,
    ):
        scene.folder.project.environment["NEON_API_URL"] = api
        _lose(scene, one, two)


def _lose(scene: Scene, one: Machine, two: Machine) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    first = scene.worker("one", one)
    scene.held(app)
    (lock,) = scene.folder.locks()
    assert lock.host == "machine-one"
    first.kill()
    first.wait()
    scene.faults.withdraw(order)
    # A lock of somebody else on another stack, on a machine of that name.
    other = scene.folder.write_lock("acme--other", host="machine-one", pid=lock.pid + 1)
    second = scene.worker("two", two)
    app_made = scene.folder.wait(app, "ready", "failed", seconds=90)
    assert app_made.status == "ready", (app_made.error_text, scene.folder.log("two"))
    assert [each.key for each in scene.folder.locks()] == [other]
    scene.folder.delete_lock(other)
    scene.check(app)
    # Before its machine goes. unshare passes no other signal on.
    second.kill()
    second.wait()


def test_a_worker_that_was_stopped_and_goes_on_changes_nothing_any_more(scene: Scene) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    first = scene.worker("one")
    worker, engine = scene.held(app)
    for pid in (worker, engine):
        os.kill(pid, signal.SIGSTOP)
    scene.worker("two")
    # It waits for the lease, and then for the engine of this machine, which is there and does nothing.
    time.sleep(STOPPED)
    scene.faults.withdraw(order)
    for pid in (worker, engine):
        # The worker ends its engine as soon as it goes on.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert first.wait(30) == 2
    scene.check(app)
    # Its loop says so, or the thread that watches it.
    said = scene.folder.log("one")
    assert "it is started again" in said or "ends itself" in said


@pytest.mark.faults
def test_a_worker_without_its_catalog_ends_its_engines_before_the_lease_is_over(
    scene: Scene, database: Catalog
) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    scene.worker("one")
    _, engine = scene.held(app)
    began = time.monotonic()
    revoke = "REVOKE UPDATE ON tenantry.operations FROM tenantry_service"
    database.ask(revoke)
    try:
        while Path(f"/proc/{engine}").exists() and time.monotonic() - began < SECONDS:
            time.sleep(0.1)
        assert time.monotonic() - began < SECONDS, "it would have been at work beside another one"
    finally:
        database.ask("GRANT UPDATE ON tenantry.operations TO tenantry_service")
        scene.faults.withdraw(order)
    scene.worker("two")
    scene.check(app)


@pytest.mark.faults
def test_a_worker_that_is_asked_to_end_leaves_what_it_cannot_finish(scene: Scene) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    scene.workers.append(scene.folder.worker("one", "--lease", f"{SECONDS}s", "--finish", "1s"))
    scene.held(app)
    scene.workers[0].send_signal(signal.SIGTERM)
    time.sleep(2)
    scene.faults.withdraw(order)
    assert scene.workers[0].wait(60) == 0, scene.folder.log("one")
    scene.worker("two")
    scene.check(app, interruptions=0)


@pytest.mark.faults
def test_what_is_cancelled_ends_and_what_was_made_is_deleted_with_the_app(scene: Scene) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    worker = scene.worker("one")
    scene.held(app)
    scene.folder.cancel(app)
    time.sleep(2)
    scene.faults.withdraw(order)
    assert scene.folder.wait(app, "failed").operation_status == "cancelled"
    scene.folder.ask_again(app, "delete")
    scene.folder.wait(app, "deleted")
    assert projects(scene.cloud, scene.folder.namespace) == []
    assert scene.folder.locks() == []
    assert end(worker) == 0


@pytest.mark.faults
def test_the_catalogs_postgresql_is_restarted_in_the_middle(scene: Scene, account: Account) -> None:
    order = scene.faults.order(CREATE, {"kind": "hold"})
    app = scene.folder.ask("web")
    scene.worker("one", lease=60)
    scene.held(app)
    restart(account, scene.folder.catalog.url)
    scene.faults.withdraw(order)
    time.sleep(1)
    restart(account, scene.folder.catalog.url)
    made = scene.folder.wait(app, "ready", "failed", seconds=90)
    assert made.status == "ready", (made.error_text, scene.folder.log("one"))
    assert len(projects(scene.cloud, scene.folder.namespace)) == 1
    assert scene.folder.locks() == []


def restart(account: Account, url: str) -> None:
    """End the server of a branch; the next connection starts it."""
    host = urlsplit(url).hostname
    for project in account.ask("GET", "/projects", limit=100, org_id=account.cloud.neon_org_id)[
        "projects"
    ]:
        for endpoint in account.ask("GET", f"/projects/{project['id']}/endpoints")["endpoints"]:
            if endpoint["host"] == host:
                account.ask("POST", f"/projects/{project['id']}/endpoints/{endpoint['id']}/suspend")
                return
    raise AssertionError(f"no endpoint has the host {host}")
