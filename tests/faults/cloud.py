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

from tests.localcloud_fixture import LocalCloud, local_cloud, start

_SECONDS: Final = 30
_OPTIONS: Final = (
    *("--aura-create-seconds", "0.3"),
    *("--aura-change-seconds", "0.1"),
    *("--aura-lag-seconds", "0"),
)
Order = Mapping[str, Any]
"""An order as the local cloud's fault API takes it."""


class FaultyCloud:
    """A running local cloud with its orders."""

    def __init__(self, running: LocalCloud) -> None:
        self.running = running
        origin = running.neon_api_url.removesuffix("/api/v2")
        self._admin = httpx.Client(
            base_url=f"{origin}/_localcloud/",
            headers={"Authorization": f"Bearer {running.neon_api_key}"},
            timeout=_SECONDS,
        )
        self._api = httpx.Client(
            base_url=running.neon_api_url,
            headers={"Authorization": f"Bearer {running.neon_api_key}"},
            timeout=_SECONDS,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._admin.close()
        self._api.close()

    # Orders.

    def order(self, order: Order) -> int:
        """Place an order and return its number."""
        answer = self._admin.post("faults", json=dict(order))
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}: {order}"
        number: int = answer.json()["id"]
        return number

    def release(self, number: int | None = None) -> None:
        """Take back an order, or all: what they hold goes on."""
        answer = self._admin.delete("faults" if number is None else f"faults/{number}")
        # One that is used up, or that went with a local cloud that died, has nothing to take back.
        assert answer.is_success or answer.status_code == 404, answer.text

    def newest(self) -> int:
        """The number of the newest entry of the record."""
        return max((entry["number"] for entry in self.injected()), default=0)

    def injected(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        """The record's entries after one; waits for the first."""
        answer = self._admin.get("faults/injected", params={"after": after, "wait": wait})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["injected"]
        return found

    def wait_for(
        self, orders: set[int], after: int, seconds: float, going_on: Callable[[], bool]
    ) -> bool:
        """Wait until one of the orders takes effect; False if it does not in time, or nothing goes on any more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            alive = going_on()
            if any(entry["order"] in orders for entry in self.injected(after, wait=0.5)):
                return True
            if not alive:
                return False
        return False

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
        """End the local cloud as a lost machine would: SIGKILL, and all its orders are gone."""
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
    with local_cloud(data, *_OPTIONS, pace=pace) as running:
        cloud = FaultyCloud(running)
        try:
            yield cloud
        finally:
            cloud.close()
