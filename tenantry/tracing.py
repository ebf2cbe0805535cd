"""Traces by OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set: requests, operations, runs of the engine.

Without the variable nothing of it is imported. A span has ids, kinds and outcomes: no value of a property, no text of
an error, since either might hold a secret.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_FLUSH_MILLISECONDS: Final = 3_000
_provider: list[Any] = []
"""The one of this process, once it has begun."""


class TracingError(TenantryError):
    """Traces cannot be sent as it is set."""


def begin(service: str) -> None:
    """Send spans from now on, where the environment says where to. The SDK reads the rest of `OTEL_…` itself.

    :param service: the process's name, unless `OTEL_SERVICE_NAME` says another
    :raises TracingError: the package for the protocol is not there
    """
    if not os.environ.get(ENDPOINT) or _provider:
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME") or service
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(_exporter()))
    _provider.append(provider)


def end() -> None:
    """Send what is left, within 3 s."""
    for each in _provider:
        each.force_flush(_FLUSH_MILLISECONDS)


@contextmanager
def span(name: str, **attributes: str | int | None) -> Iterator[dict[str, str | int]]:
    """Make a block a span; nothing where none is sent.

    :param attributes: no secret; `_` stands for a full stop in a name of one word after the other: `http_route`
    :return: attributes that are known only at the end may be put in
    """
    more: dict[str, str | int] = {}
    if not _provider:
        yield more
        return
    from opentelemetry.trace import StatusCode

    tracer = _provider[0].get_tracer("tenantry")
    known = {key.replace("_", "."): value for key, value in attributes.items() if value is not None}
    # The SDK's own way would send an exception's text and its stack.
    with tracer.start_as_current_span(
        name, attributes=known, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield more
        except BaseException:
            made.set_status(StatusCode.ERROR)
            raise
        finally:
            for key, value in more.items():
                made.set_attribute(key.replace("_", "."), value)


def _exporter() -> Any:  # noqa: ANN401  # one of two classes, of which one may not be installed
    if os.environ.get(_PROTOCOL, "grpc").startswith("http"):
        try:
            over_http = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        except ImportError:
            raise TracingError(
                "the package for this protocol is not installed",
                place=_PROTOCOL,
                way_out="pip install opentelemetry-exporter-otlp-proto-http, or set it to grpc",
            ) from None
        return over_http.OTLPSpanExporter()
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()
