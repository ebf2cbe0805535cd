"""The fault API of a local cloud, for tests."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud_fixture import LocalCloud

Json = dict[str, Any]


@dataclass(frozen=True)
class Faults:
    """Orders of faults, what became of them, and how often the APIs were asked."""

    cloud: LocalCloud
    client: httpx.Client

    def order(self, match: str, fault: Json, **fields: Any) -> Json:
        """Place an order; `api` is `neon` unless it is said."""
        asked = {"api": "neon", "match": match, "fault": fault} | fields
        placed: Json = self.client.post("/faults", json=asked).raise_for_status().json()
        return placed

    def withdraw(self, order: Json | None = None) -> None:
        """Take back one order, or all."""
        path = f"/faults/{order['id']}" if order else "/faults"
        self.client.delete(path).raise_for_status()

    def standing(self, order: Json) -> Json:
        """Return what became of an order."""
        found: list[Json] = self.client.get("/faults").raise_for_status().json()["faults"]
        return next(each for each in found if each["id"] == order["id"])

    def injected(self, after: int = 0, wait: float = 0) -> list[Json]:
        """Return the record's entries with a higher number, waiting so many seconds for one."""
        answer = self.client.get("/faults/injected", params={"after": after, "wait": wait})
        found: list[Json] = answer.raise_for_status().json()["injected"]
        return found

    def last(self) -> int:
        """Return the number of the newest entry of the record."""
        return max((entry["number"] for entry in self.injected()), default=0)

    def requests(self, api: str) -> Json:
        """Return the counts of an API's requests since the last :meth:`forget_requests`."""
        counted: Json = self.client.get("/requests").raise_for_status().json()[api]
        return counted

    def changed(self) -> dict[str, int]:
        """Return how often the clouds were asked to change something, by route; queries of a graph change nothing."""
        return {
            route: counted["total"]
            for api in ("neon", "aura")
            for route, counted in self.requests(api)["routes"].items()
            if not route.startswith(("GET ", "POST /oauth/", "POST /db/"))
        }

    def asked(self, api: str, route: str) -> int:
        """Return how often a route was asked."""
        return int(self.requests(api)["routes"].get(route, {"total": 0})["total"])

    def forget_requests(self) -> None:
        """Begin to count anew."""
        self.client.delete("/requests").raise_for_status()


@contextmanager
def faults_of(cloud: LocalCloud) -> Iterator[Faults]:
    """Order faults of a cloud for the length of a block; before and after it there are none."""
    with httpx.Client(
        base_url=cloud.neon_api_url.replace("/api/v2", "/_localcloud"),
        headers={"Authorization": f"Bearer {cloud.neon_api_key}"},
        # The record is waited for, for up to a minute.
        timeout=90,
    ) as client:
        faults = Faults(cloud, client)
        faults.withdraw()
        try:
            yield faults
        finally:
            faults.withdraw()
