"""What one process counts, and the page that a scraper reads."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from tenantry.errors import TenantryError
from tenantry.observing.metrics import METRICS, exposed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric as Family

    from tenantry.observing.metrics import Place
    from tenantry.observing.reading import Reading

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BY_NAME: Final = {each.name: each for each in METRICS}
_TOO_MANY: Final = 429


class Counters:
    """The metrics that a process counts itself."""

    def __init__(self, place: Place) -> None:
        """Count nothing yet.

        :param place: what the process is: `api` or `worker`
        """
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}
        for each in exposed(place):
            if each.type == "counter":
                self._made[each.name] = Counter(
                    each.name, each.help, each.labels, registry=self.registry
                )
            else:
                self._made[each.name] = Histogram(
                    each.name, each.help, each.labels, buckets=each.buckets, registry=self.registry
                )

    def count(self, name: str, *labels: str) -> None:
        """Count one. Labels are in the order of the definition."""
        self._of(name, labels).inc()

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Note how long something took."""
        self._of(name, labels).observe(seconds)

    def asked(
        self, cloud: str, method: str, route: str, status: int | None, seconds: float
    ) -> None:
        """Count a request to a cloud, as `tenantry.clouds.asking` tells of it."""
        self.count(
            "tenantry_cloud_requests_total", cloud, method, route, str(status) if status else ""
        )
        self.observe("tenantry_cloud_request_seconds", seconds, cloud, method)
        if status == _TOO_MANY:
            self.count("tenantry_cloud_throttled_total", cloud)

    def page(self, reading: Reading | None = None) -> bytes:
        """Return what a scraper reads, in Prometheus' text format.

        :param reading: what the catalog says, where this process tells that
        """
        own = generate_latest(self.registry)
        if reading is None:
            return own
        told = CollectorRegistry(auto_describe=False)
        told.register(_Told(reading))
        return generate_latest(told) + own

    def _of(self, name: str, labels: tuple[str, ...]) -> Any:  # noqa: ANN401  # either of the two types
        made = self._made[name]
        return made.labels(*labels) if labels else made


class ObservingError(TenantryError):
    """The metrics cannot be read as it is set."""


@contextmanager
def scraped(counters: Counters, address: tuple[str, int] | None) -> Iterator[None]:
    """Let the metrics be read over HTTP for the length of a block, in a thread.

    :param address: host and port; None: nowhere
    :raises ObservingError: it cannot be listened at
    """
    if address is None:
        yield
        return
    host, port = address
    try:
        server, thread = start_http_server(port, host, registry=counters.registry)
    except OSError as error:
        raise ObservingError(
            f"cannot be listened at: {error.strerror or error}",
            place=f"--metrics {host}:{port}",
            way_out="choose another address or port",
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Told(Collector):
    """The catalog's metrics, from one reading."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Family]:
        values: dict[str, list[tuple[tuple[str, ...], float]]] = defaultdict(list)
        for name, labels, value in self._reading.values:
            values[name].append((labels, value))
        for each in exposed("catalog"):
            if each.type == "histogram":
                yield from self._histogram(each.name)
                continue
            kind = CounterMetricFamily if each.type == "counter" else GaugeMetricFamily
            family = kind(each.name, each.help, labels=each.labels)
            for labels, value in values[each.name]:
                family.add_metric(labels, value)
            yield family

    def _histogram(self, name: str) -> Iterator[Family]:
        definition = _BY_NAME[name]
        family = HistogramMetricFamily(name, definition.help, labels=definition.labels)
        for labels, counted in self._reading.histograms.get(name, {}).items():
            below, buckets = 0, []
            for bound, count in zip(
                (*map(str, definition.buckets), "+Inf"), counted.buckets, strict=True
            ):
                below += count
                buckets.append((bound, below))
            family.add_metric(labels, buckets, counted.total)
        yield family
