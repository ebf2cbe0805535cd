"""An app whose login is rotated under the eyes of its clients, and runs of that which are killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import psycopg

from tests.faults.app_client import AppClient, Url, is_let_in, is_refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.engine.workspace import Workspace
    from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: NAMESPACE
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          credentials: {generation: GENERATION}
        deletion: delete
"""
APP = "acme/web"
GROUP = "tenant_acme__web__rw"
_SECONDS = 60
_UP = ("up", "--yes", "--skip-preview")
_WRITES = ("CREATE", "ALTER", "GRANT", "REVOKE", "DO", "COMMIT", "INSERT", "UPDATE", "DELETE")

Victim = Literal["engine", "all"]
"""`engine`: its plugins live on and finish what they were at; `all`: they die with it."""


@dataclass(frozen=True)
class Statement:
    """A place in a run: the nth (from 0) of such statements, before it reaches the server or once it is done."""

    host: str
    like: str
    nth: int
    when: Literal["before", "after"]
    text: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A place in a run: its nth change of the state (from 1) is written."""

    nth: int


Place = Statement | Checkpoint


class Rotation:
    """One app at a generation, with what its clients were told, and the URLs of all its generations."""

    def __init__(self, workspace: Workspace, cloud: LocalCloud, namespace: str) -> None:
        self._workspace = workspace
        self._namespace = namespace
        self._client = cloud.client()
        self._client.event_hooks = {"response": []}
        self._client.base_url = cloud.neon_api_url.removesuffix("/api/v2") + "/_localcloud"
        self._catalog = urlsplit(cloud.catalog_url).hostname or ""
        self.generation = 1
        workspace.apply(self._registry(1))
        self.urls = {1: self._told()}
        self._beginning = workspace.must("stack", "export", "--show-secrets").out
        self.current = AppClient("current", self.urls[1], GROUP)
        self.old = AppClient("told later", self.urls[1], GROUP)

    def close(self) -> None:
        """End the clients and the orders."""
        for client in (self.current, self.old):
            client.end()
        self._client.delete("/faults")
        self._client.close()

    def _registry(self, generation: int) -> str:
        return REGISTRY.replace("NAMESPACE", self._namespace).replace("GENERATION", str(generation))

    def _told(self) -> Url:
        return Url(**self._workspace.outputs()["urls"][APP])

    @property
    def host(self) -> str:
        """The direct host of the app's compute."""
        return urlsplit(self.urls[1].direct).hostname or ""

    # The steps of a rotation.

    def begin(self) -> None:
        """Raise the generation in the registry; whoever still had the URL of the one before is told today's."""
        self.old.tell(self.urls[self.generation])
        self.generation += 1
        self._workspace.registry.write_text(self._registry(self.generation))

    def finish(self) -> None:
        """Hand out the new URL after a run that succeeded, and see that exactly two generations are let in."""
        self.urls[self.generation] = self._told()
        self.current.tell(self.urls[self.generation])
        assert is_let_in(self.urls[self.generation]), "the new URL is refused"
        if self.generation > 1:
            assert is_let_in(self.urls[self.generation - 1]), "the URL before is refused"
        for generation in range(max(1, self.generation - 3), self.generation - 1):
            assert is_refused(self.urls[generation]), f"generation {generation} is still let in"

    def rotate(self) -> None:
        """Raise the generation by one, undisturbed."""
        self.begin()
        self._workspace.must(*_UP)
        self.finish()

    def rewind(self) -> None:
        """Go back from generation 2 to 1, as if the second had never been."""
        file = self._workspace.folder / "beginning.json"
        file.write_text(self._beginning)
        self.current.tell(self.urls[1])
        self.old.tell(self.urls[1])
        self._workspace.must("stack", "import", "--file", str(file), "--force")
        with psycopg.connect(self._owner_url(), autocommit=True) as postgres:
            postgres.execute("DROP ROLE tenant_acme__web__login_b")
        self.generation = 1
        self.urls = {1: self.urls[1]}

    def _owner_url(self) -> str:
        resources = json.loads(self._beginning)["deployment"]["resources"]
        provider = next(
            each["inputs"] for each in resources if each["type"] == "pulumi:providers:postgresql"
        )
        password = json.loads(provider["password"]["plaintext"])
        return (
            f"postgresql://{provider['username']}:{password}@{provider['host']}/{provider['database']}"
            "?sslmode=require"
        )

    # Its places.

    def places(self) -> list[Place]:
        """Rotate once, and tell where that can be interrupted: at each statement, at each checkpoint."""
        hosts = (self.host, self._catalog)
        for host in hosts:
            self._order(f"{host} *", {"kind": "delay", "seconds": 0}, count=None)
        after = self._last()
        with self._checkpoints() as written:
            self.rotate()
        seen = self._injected(after)
        self._client.delete("/faults").raise_for_status()
        places: list[Place] = []
        for host in hosts:
            texts = [entry["statement"] for entry in seen if entry["host"] == host]
            for nth, text in enumerate(texts):
                is_write = text.upper().startswith(_WRITES)
                # What is read from the catalog changes nothing, and its writes are one transaction.
                if host == self.host or is_write:
                    places.append(Statement(host, "*", nth, "before", text))
                if is_write and (host == self.host or text.upper() == "COMMIT"):
                    places.append(Statement(host, "*", nth, "after", text))
        return [*places, *(Checkpoint(nth) for nth in range(1, len(written) + 1))]

    def interrupt(self, place: Place, victim: Victim) -> bool:
        """Rotate, kill the run at a place, recover as docs/failures.md says. Tell whether the place was reached."""
        self.begin()
        run = subprocess.Popen(
            ["pulumi", *_UP, "--non-interactive", "--color=never"],
            cwd=self._workspace.folder,
            env=self._workspace.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            is_reached = self._kill_at(place, run, victim)
        finally:
            self._client.delete("/faults").raise_for_status()
        self._workspace.must("cancel", "--yes")
        self._workspace.must(*_UP)
        # What the dead engine left running has had its say by now.
        self._kill(run, "all")
        self.finish()
        return is_reached

    def _kill_at(self, place: Place, run: subprocess.Popen[bytes], victim: Victim) -> bool:
        if isinstance(place, Checkpoint):
            with self._checkpoints() as written:
                while len(written) < place.nth and run.poll() is None:
                    time.sleep(0.001)
                is_running = run.poll() is None
                self._kill(run, victim)
            return is_running
        after = self._last()
        hold = {"kind": "hold", "when": place.when, "then": "go"}
        self._order(f"{place.host} {place.like}", hold, skip=place.nth)
        deadline = time.monotonic() + _SECONDS
        while run.poll() is None and time.monotonic() < deadline:
            if self._injected(after, wait=1):
                self._kill(run, victim)
                return True
        self._kill(run, "all")
        return False

    def _kill(self, run: subprocess.Popen[bytes], victim: Victim) -> None:
        run.kill()
        run.wait()
        for pid in _processes_of(self._workspace) if victim == "all" else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def _checkpoints(self) -> Iterator[list[int]]:
        """Collect the writes of the stack's state, as far as they are seen."""
        written: list[int] = []
        ending = threading.Event()
        watcher = threading.Thread(
            target=_watch, args=(self._workspace.state, written, ending), daemon=True
        )
        watcher.start()
        try:
            yield written
        finally:
            ending.set()
            watcher.join()

    # The fault API.

    def _order(self, match: str, fault: dict[str, Any], **fields: Any) -> None:
        order = {"api": "postgres", "match": match, "fault": fault} | fields
        self._client.post("/faults", json=order).raise_for_status()

    def _injected(self, after: int, wait: float = 0) -> list[dict[str, Any]]:
        answer: httpx.Response = self._client.get(
            "/faults/injected", params={"after": after, "wait": wait}
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()["injected"]
        return found

    def _last(self) -> int:
        return max((entry["number"] for entry in self._injected(0)), default=0)


def _watch(state: Path, written: list[int], ending: threading.Event) -> None:
    file = state / ".pulumi" / "stacks" / "tenantry" / "test.json"
    last = file.stat().st_mtime_ns
    while not ending.wait(0.002):
        # The file is replaced as a whole, and for a moment there may be none.
        try:
            now = file.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if now != last:
            last = now
            written.append(now)


def _processes_of(workspace: Workspace) -> list[int]:
    """Find the engine and its plugins, which have process groups of their own, by the environment that they share."""
    mark = f"PULUMI_HOME={workspace.environment['PULUMI_HOME']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        # It may end, or be somebody else's.
        with suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found
