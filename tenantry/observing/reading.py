"""What the catalog says of the service, read with a few statements, and at most once in 10 s.

What ended long ago does not change any more. It is counted once by each process, and then only what came since.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tenantry.observing.metrics import METRICS
from tenantry.observing.standing import STANDING
from tenantry.selfservice.database import connection
from tenantry.selfservice.errors import SelfServiceError
from tenantry.selfservice.expiring import BEFORE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tenantry.selfservice.database import Connection, Pool

    Labels = tuple[str, ...]

EVERY_SECONDS: Final = 10.0
SETTLED: Final = "10 minutes"
"""After so long no transaction is open any more that could add to what ended before."""
_DURATION: Final = "tenantry_operation_duration_seconds"
_QUEUE: Final = "tenantry_operation_queue_seconds"
_BUCKETS: Final = {each.name: list(each.buckets) for each in METRICS}

_ENDED: Final = """
SELECT kind, status, coalesce(error_kind, '') AS error, count(*) AS count FROM tenantry.operations
WHERE namespace = %(namespace)s AND ended_at >= %(since)s AND ended_at < %(until)s GROUP BY 1, 2, 3"""
_TOOK: Final = """
SELECT {labels} AS labels, width_bucket(seconds, %(bounds)s::float8[]) AS bucket, count(*) AS count, sum(seconds) AS total
FROM (SELECT kind, status, extract(epoch FROM {end} - {begin})::float8 AS seconds FROM tenantry.operations
  WHERE namespace = %(namespace)s AND ended_at >= %(since)s AND ended_at < %(until)s AND started_at IS NOT NULL) AS took
GROUP BY 1, 2"""
_HISTOGRAMS: Final = {
    _DURATION: _TOOK.format(labels="ARRAY[kind, status]", end="ended_at", begin="started_at"),
    _QUEUE: _TOOK.format(labels="ARRAY[kind]", end="started_at", begin="created_at"),
}
_AGAIN: Final = """
SELECT e.kind AS event, o.kind, count(*) AS count FROM tenantry.operation_events e
JOIN tenantry.operations o ON o.id = e.operation
WHERE o.namespace = %(namespace)s AND e.kind IN ('retry', 'interrupted') AND e.at >= %(since)s AND e.at < %(until)s
GROUP BY 1, 2"""
_EVENTS: Final = {
    "retry": "tenantry_operation_retries_total",
    "interrupted": "tenantry_interruptions_total",
}


@dataclass
class Counted:
    """A histogram: how many are in each bucket, the last of which has no bound, and their sum in seconds."""

    buckets: list[int]
    total: float = 0.0


@dataclass
class Reading:
    """What the catalog says."""

    values: list[tuple[str, Labels, float]] = field(default_factory=list)
    histograms: dict[str, dict[Labels, Counted]] = field(default_factory=dict)


@dataclass
class _Counts:
    """What is counted over a while."""

    counters: Counter[tuple[str, Labels]] = field(default_factory=Counter)
    histograms: dict[str, dict[Labels, Counted]] = field(default_factory=dict)

    def add(self, other: _Counts) -> None:
        self.counters += other.counters
        for name, series in other.histograms.items():
            for labels, counted in series.items():
                own = self.of(name, labels)
                own.buckets = [a + b for a, b in zip(own.buckets, counted.buckets, strict=True)]
                own.total += counted.total

    def of(self, name: str, labels: Labels) -> Counted:
        series = self.histograms.setdefault(name, {})
        return series.setdefault(labels, Counted([0] * (len(_BUCKETS[name]) + 1)))


class CatalogReader:
    """Reads for however many scrapes."""

    def __init__(self, connections: Pool, namespace: str) -> None:
        """Read nothing yet."""
        self._connections = connections
        self._namespace = namespace
        self._settled = _Counts()
        self._until: datetime | str = "-infinity"
        self._last = Reading()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def read(self) -> Reading:
        """Return what the catalog says, or said within the last 10 s. Where it is away, nothing but that."""
        async with self._reading:
            if time.monotonic() - self._read_at < EVERY_SECONDS:
                return self._last
            try:
                async with connection(self._connections) as one:
                    self._last = await self._read(one)
            except SelfServiceError:
                self._last = Reading([("tenantry_catalog_up", (), 0.0)])
            self._read_at = time.monotonic()
            return self._last

    async def _read(self, one: Connection) -> Reading:
        found = await one.execute(f"SELECT now() - interval '{SETTLED}' AS until")
        until = (await found.fetchone() or {})["until"]
        self._settled.add(await self._between(one, self._until, until))
        self._until = until
        counts = _Counts()
        counts.add(self._settled)
        counts.add(await self._between(one, until, "infinity"))
        found = await one.execute(STANDING, {"namespace": self._namespace, "before": BEFORE})
        values = [
            (row["metric"], tuple(row["labels"]), row["value"]) for row in await found.fetchall()
        ]
        values += [
            (name, labels, float(count)) for (name, labels), count in counts.counters.items()
        ]
        return Reading([("tenantry_catalog_up", (), 1.0), *values], counts.histograms)

    async def _between(
        self, one: Connection, since: datetime | str, until: datetime | str
    ) -> _Counts:
        counts = _Counts()
        window: Mapping[str, Any] = {
            "namespace": self._namespace,
            "since": since,
            "until": until,
        }
        found = await one.execute(_ENDED, window)
        for row in await found.fetchall():
            labels = (row["kind"], row["status"], row["error"])
            counts.counters["tenantry_operations_total", labels] += row["count"]
        found = await one.execute(_AGAIN, window)
        for row in await found.fetchall():
            counts.counters[_EVENTS[row["event"]], (row["kind"],)] += row["count"]
        for name, statement in _HISTOGRAMS.items():
            found = await one.execute(statement, {**window, "bounds": _BUCKETS[name]})
            for row in await found.fetchall():
                counted = counts.of(name, tuple(row["labels"]))
                counted.buckets[row["bucket"]] += row["count"]
                counted.total += row["total"]
        return counts
