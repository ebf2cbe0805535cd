"""No secret in what the service says of itself: log, metrics, traces, notifications, rows about operations."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]  # it has no types
import httpx
import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1 import (
    trace_service_pb2,
    trace_service_pb2_grpc,
)

from tests.canaries import Secrets
from tests.service.api import SECRET, token
from tests.service.folder import ServiceFolder
from tests.service.test_notices import SECRET as SIGNS
from tests.service.test_notices import Hook
from tests.service.test_notified import wait
from tests.service.test_serve import ISSUER, ended
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes traces by OTLP."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002  # the protocol's
        self.got.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.got
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    made = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(made, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


def test_no_secret_is_in_what_the_service_tells(
    tmp_path: Path, cloud: LocalCloud, database: Catalog, collector: tuple[Collector, str]
) -> None:
    hook = Hook()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(hook) as url:
        folder = ServiceFolder.make(tmp_path / "service", cloud, database)
        file = folder.project.registry
        file.write_text(f'{file.read_text()}notify: [{{url: "{url}", secret_from: HOOK}}]\n')
        environment = {
            **folder.project.environment,
            **ISSUER,
            "HOOK": SIGNS,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector[1],
            "TENANTRY_SERVICE_WORKER_METRICS": f"127.0.0.1:{port}",
        }
        command = ["serve", "--bind", "127.0.0.1:0", "--workers", "1", "--json"]
        service = subprocess.Popen(
            [sys.executable, "-m", "tenantry", *command],
            cwd=folder.project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert service.stderr is not None
            api = service.stderr.readline().removeprefix("serving: ").strip()
            given = token()
            headers = {"Authorization": f"Bearer {given}"}
            with httpx.Client(base_url=api, headers=headers, timeout=90, verify=False) as client:
                wanted = {"app_name": "web", "plan": "keyed"}
                app = client.post("/v1/apps", json=wanted).json()
                path = f"/v1/apps/{app['app_id']}"
                key = client.get(f"{path}/keys/default").json()["key"]
                assert ended(client, client.post(f"{path}/rotate").json()["href"]) == "succeeded"
                rotated = client.get(f"{path}/uri").json()["uri"]
                kept = client.post("/v1/apps", json={"app_name": "kept", "plan": "kept"}).json()
                assert client.delete(f"/v1/apps/{kept['app_id']}").status_code == 409
                assert ended(client, client.delete(path).json()["href"]) == "succeeded"
                wait(lambda: len(hook.got) >= 3)
                metrics = [
                    client.get("/metrics").text,
                    httpx.get(f"http://127.0.0.1:{port}/metrics").text,
                ]
        finally:
            service.send_signal(signal.SIGTERM)
            _, log = service.communicate(timeout=120)
    assert service.returncode == 0, log

    names = {span.name for span in collector[0].spans()}
    assert {"request", "operation create", "operation delete", "engine up"} <= names
    by_id = {span.span_id: span for span in collector[0].spans()}
    ups = [span for span in by_id.values() if span.name == "engine up"]
    assert {by_id[span.parent_span_id].name for span in ups} <= {
        "operation create",
        "operation rotate",
    }
    # The page's link is for a person, who may open it once.
    lines = [line for line in log.splitlines() if not line.startswith("page: ")]
    said = [json.loads(line) for line in lines]
    assert any(each.get("app") == "acme/web" for each in said)

    def password(uri: str) -> str:
        return str(psycopg.conninfo.conninfo_to_dict(uri)["password"])

    secrets = Secrets(
        {
            "login": password(app["uri"]),
            "rotated login": password(rotated),
            "API key": key,
            "token": given,
            "secret of tokens": SECRET.decode(),
            "secret of the hook": SIGNS.removeprefix("whsec_"),
            "Neon's key": environment["NEON_API_KEY"],
            "catalog": password(folder.catalog.url),
        }
    )
    rows = folder.catalog.ask(
        "SELECT text FROM tenantry.operation_events UNION ALL SELECT text FROM tenantry.notifications "
        "UNION ALL SELECT drifted::text FROM tenantry.drift_looks"
    )
    texts = [
        ("the log", log.encode()),
        *((f"metrics {number}", page.encode()) for number, page in enumerate(metrics)),
        *((f"trace {n}", each.SerializeToString()) for n, each in enumerate(collector[0].got)),
        *((f"notification {n}", body) for n, (_, _, body) in enumerate(hook.got)),
        *((f"row {n}", str(row).encode()) for n, row in enumerate(rows)),
    ]
    assert secrets.hits(texts) == []
