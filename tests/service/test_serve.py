"""`tenantry serve` as an operator starts it: a worker beside it, the real engine, states in PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from tests.service.api import ALL, SECRET, token
from tests.service.folder import ServiceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud

ISSUER = {
    "TENANTRY_SERVICE_ISSUER": "tests",
    "TENANTRY_SERVICE_AUDIENCE": "tenantry",
    "TENANTRY_SERVICE_SECRET_FROM": "SECRET_OF_TOKENS",
    "SECRET_OF_TOKENS": SECRET.decode(),
}


@pytest.fixture
def folder(tmp_path: Path, cloud: LocalCloud, catalog: Catalog) -> ServiceFolder:
    made = ServiceFolder.make(tmp_path / "service", cloud, catalog)
    made.project.environment |= ISSUER
    return made


def serve(folder: ServiceFolder, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tenantry", "serve", "--bind", "127.0.0.1:0", *options],
        cwd=folder.project.folder,
        env=folder.project.environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def service(folder: ServiceFolder) -> Iterator[subprocess.Popen[str]]:
    process = serve(folder, "--workers", "2", "--json")
    yield process
    if process.poll() is None:
        process.terminate()
        process.communicate(timeout=120)


def ended(client: httpx.Client, path: str) -> str:
    for _ in range(240):
        found = client.get(path).json()
        if found["status"] not in {"queued", "running"}:
            return str(found["status"])
        time.sleep(0.25)
    raise AssertionError(f"{path} does not end")


def test_an_app_in_one_request_lives_and_goes(
    folder: ServiceFolder, service: subprocess.Popen[str]
) -> None:
    assert service.stderr is not None
    first = service.stderr.readline()
    url = first.removeprefix("serving: ").strip()
    given = token(scope=ALL)
    client = httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {given}"}, timeout=90, verify=False
    )
    with client:
        key = {"Idempotency-Key": "k-1"}
        wanted = {"app_name": "web", "plan": "keyed"}
        made = client.post("/ee/apps", json=wanted, headers=key)
        assert made.status_code == 201, made.text
        app = made.json()
        assert app["uri"] == app["morphik_uri"]
        with psycopg.connect(app["uri"], connect_timeout=10) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        again = client.post("/v1/apps", json=wanted, headers=key)
        assert (again.status_code, again.json()["app_id"]) == (201, app["app_id"])
        path = f"/v1/apps/{app['app_id']}"
        assert ended(client, client.post(f"{path}/rotate").json()["href"]) == "succeeded"
        rotated = client.get(f"{path}/uri").json()
        assert rotated["uri"] != app["uri"]
        for uri in (app["uri"], rotated["uri"], rotated["pooled_uri"]):
            psycopg.connect(uri, connect_timeout=10).close()
        shown = client.get(f"{path}/keys/default")
        assert shown.status_code == 200
        assert client.get(f"{path}/keys/default").status_code == 410
        # The key itself opens the service, for its app's tenant.
        with httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {shown.json()['key']}"}, verify=False
        ) as machine:
            assert machine.get(path).json()["app_name"] == "web"
            assert machine.get(f"{path}/uri").status_code == 403
        assert ended(client, client.delete(path).json()["href"]) == "succeeded"
        assert client.get(path).json()["status"] == "deleted"
    service.send_signal(signal.SIGTERM)
    _, log = service.communicate(timeout=120)
    assert service.returncode == 0, log
    # Its worker has ended as well, in order.
    assert folder.catalog.ask("SELECT count(*), count(stopped_at) FROM tenantry.workers") == [
        (1, 1)
    ]
    passwords = {psycopg.conninfo.conninfo_to_dict(each)["password"] for each in (app["uri"], uri)}
    for secret in (given, shown.json()["key"], SECRET.decode(), *map(str, passwords)):
        assert secret not in log


def test_what_is_wrong_is_said_before_anything_starts(folder: ServiceFolder) -> None:
    def said(*options: str) -> list[str]:
        process = serve(folder, *options)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1, err
        return err.splitlines()

    environment = folder.project.environment
    file = folder.project.folder / "service.toml"
    file.write_text('wait = "soon"\nworkerz = 2\n[[issuers]]\nissuer = "https://id.example"\n')
    assert len(said("--bind", "nowhere")) == 4
    file.unlink()
    postgres = environment["PULUMI_BACKEND_URL"]
    environment["PULUMI_BACKEND_URL"] = folder.project.state.as_uri()
    (line,) = said()
    assert "one_machine" in line
    environment["PULUMI_BACKEND_URL"] = postgres
    folder.project.registry.write_text("version: 1\ntenants: {}\n")
    (line,) = said()
    assert "self_service" in line
