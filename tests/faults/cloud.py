"""A local cloud that can be made to fail: orders, their record, its death and its return."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx

from tests.localcloud_faults import Faults, faults_of
from tests.localcloud_fixture import LocalCloud, local_cloud, start

_SECONDS: Final = 30
_OPTIONS: Final = (
    *("--aura-create-seconds", "0.3"),
    *("--aura-change-seconds", "0.1"),
    *("--aura-lag-seconds", "0"),
)
_CREATE: Final = "POST /instances"
Order = Mapping[str, Any]
"""An order as the local cloud's fault API takes it."""


class FaultyCloud:
    """A running local cloud with its orders."""

    def __init__(self, running: LocalCloud, faults: Faults) -> None:
        self.running = running
        self._faults = faults
        self._api = httpx.Client(
            base_url=running.neon_api_url,
            headers={"Authorization": f"Bearer {running.neon_api_key}"},
            timeout=_SECONDS,
        )
        self._sent_before = 0

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    # Orders.

    def order(self, order: Order) -> int:
        """Place an order and return its number."""
        number: int = self._faults.order(**order)["id"]
        return number

    def release(self) -> None:
        """Take back all orders: what they hold goes on."""
        self._faults.withdraw()

    def newest(self) -> int:
        """The number of the newest entry of the record."""
        return self._faults.last()

    def wait_for(
        self, order: int, after: int, seconds: float, going_on: Callable[[], bool]
    ) -> bool:
        """Wait until an order takes effect; False if it does not in time, or nothing goes on any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            alive = going_on()
            found = self._faults.injected(after, wait=0.5)
            if any(entry["order"] == order for entry in found):
                return True
            if not alive:
                return False
            after = max((entry["number"] for entry in found), default=after)
        return False

    # What was asked of it.

    def forget_requests(self) -> None:
        """Begin to count anew."""
        self._sent_before = 0
        self._faults.forget_requests()

    def creates_of_graphs(self) -> int:
        """How often an instance was asked for, whatever came of it; those that were told to come back do not count."""
        count = self._faults.requests("aura")["routes"].get(_CREATE, {"total": 0, "statuses": {}})
        sent: int = count["total"] - count["statuses"].get("429", 0)
        return self._sent_before + sent

    def wait_until_quiet(self, seconds: float) -> None:
        """Wait until nothing was asked for so long."""
        end = time.monotonic() + _SECONDS
        before, since = -1, time.monotonic()
        while time.monotonic() < min(end, since + seconds):
            asked = sum(self._faults.requests(api)["total"] for api in ("neon", "aura"))
            if asked != before:
                before, since = asked, time.monotonic()
            time.sleep(0.1)

    # What there is.

    def projects(self, namespace: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """The projects of a namespace, live or deleted."""
        parameters: dict[str, str | int] = {
            "search": f"{namespace}--",
            "limit": 400,
            "org_id": self.running.neon_org_id,
            "recoverable": str(deleted).lower(),
        }
        answer = self._api.get("projects", params=parameters).raise_for_status()
        return [
            each for each in answer.json()["projects"] if each["name"].startswith(f"{namespace}--")
        ]

    def branches(self, project: str) -> list[dict[str, Any]]:
        """A project's branches."""
        answer = self._api.get(f"projects/{project}/branches").raise_for_status()
        found: list[dict[str, Any]] = answer.json()["branches"]
        return found

    def endpoints(self, project: str) -> list[dict[str, Any]]:
        """A project's endpoints."""
        answer = self._api.get(f"projects/{project}/endpoints").raise_for_status()
        found: list[dict[str, Any]] = answer.json()["endpoints"]
        return found

    def instances(self, namespace: str) -> list[dict[str, Any]]:
        """The Aura instances of a namespace that are not on their way out."""
        with self.running.aura() as client:
            listed = client.get("/instances").raise_for_status().json()["data"]
            mine = [each for each in listed if each["name"].startswith(f"{namespace}--")]
            looked = [client.get(f"/instances/{each['id']}") for each in mine]
        details = [answer.json()["data"] for answer in looked if answer.status_code == 200]
        return [each for each in details if each["status"] != "destroying"]

    def suspend(self, namespace: str) -> None:
        """Put the computes of a namespace to sleep, and wait until they are."""
        end = time.monotonic() + _SECONDS
        for project in self.projects(namespace):
            for endpoint in self.endpoints(project["id"]):
                path = f"projects/{project['id']}/endpoints/{endpoint['id']}"
                while self._api.get(path).json()["endpoint"]["current_state"] != "idle":
                    assert time.monotonic() < end, f"{endpoint['id']} does not fall asleep"
                    self._api.post(f"{path}/suspend")
                    time.sleep(0.1)

    def delete_branch(self, namespace: str, branch: str) -> None:
        """Delete a branch, as its owner would in Neon's console."""
        for project in self.projects(namespace):
            if any(each["id"] == branch for each in self.branches(project["id"])):
                self._api.delete(f"projects/{project['id']}/branches/{branch}").raise_for_status()

    def clear(self, namespace: str) -> None:
        """Delete what a case made."""
        for project in self.projects(namespace):
            for _ in range(50):
                answer = self._api.delete(f"projects/{project['id']}")
                if answer.status_code != 423:
                    break
                time.sleep(0.1)
        instances = self.instances(namespace)
        if instances:
            with self.running.aura() as client:
                for instance in instances:
                    client.delete(f"/instances/{instance['id']}")

    # Its death.

    def kill(self) -> None:
        """End the local cloud as a lost machine would: SIGKILL, and all its orders and counts are gone."""
        self._sent_before = self.creates_of_graphs()
        descriptor = os.pidfd_open(self.running.pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            assert select.select([descriptor], [], [], _SECONDS)[0], "the local cloud does not end"
        finally:
            os.close(descriptor)

    def start_again(self) -> None:
        """Start it on its data, at its old ports."""
        again = start(self.running.data)
        assert again.neon_api_url == self.running.neon_api_url
        self.running = replace(self.running, pid=again.pid)


@contextmanager
def faulty_cloud(data: Path, *, pace: float) -> Iterator[FaultyCloud]:
    """Run a local cloud for the length of a block.

    :param pace: how long Neon's operations take: 0 at once, 1 as there
    """
    with local_cloud(data, *_OPTIONS, pace=pace) as running, faults_of(running) as faults:
        cloud = FaultyCloud(running, faults)
        try:
            yield cloud
        finally:
            cloud.close()
