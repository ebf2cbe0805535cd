"""The Aura API of a running local cloud: over the network, through restarts and kills."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.localcloud_fixture import LocalCloud, local_cloud, localcloud, start

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
QUICK = ("--aura-create-seconds", "0.1", "--aura-change-seconds", "0.1", "--aura-lag-seconds", "0")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(tmp_path_factory.mktemp("aura") / "data", *QUICK) as cloud:
        yield cloud


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / "localcloud.json").exists():
        localcloud("reset", folder, check=False)


def create(cloud: LocalCloud, client: httpx.Client, **fields: Any) -> Json:
    wanted = {
        "name": "graph",
        "type": "professional-db",
        "cloud_provider": "gcp",
        "region": "europe-west1",
        "memory": "1GB",
        "version": "5",
        "tenant_id": cloud.aura_tenant_id,
    }
    made: Json = client.post("/instances", json=wanted | fields).raise_for_status().json()["data"]
    return made


def wait(client: httpx.Client, made: Json, status: str) -> Json:
    deadline = time.monotonic() + 10
    while True:
        answer = client.get(f"/instances/{made['id']}")
        if answer.status_code == 200 and answer.json()["data"]["status"] == status:
            shown: Json = answer.json()["data"]
            return shown
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)


def query(made: Json, statement: str, password: str | None = None) -> httpx.Response:
    address = made["connection_url"].replace("neo4j://", "http://")
    return httpx.post(
        f"{address}/db/{made['username']}/query/v2",
        json={"statement": statement},
        auth=(made["username"], password or made["password"]),
    )


def kill(cloud: LocalCloud) -> None:
    process = os.pidfd_open(cloud.pid)
    os.kill(cloud.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while localcloud("status", cloud.data, check=False).returncode == 0:
        assert time.monotonic() < deadline
    os.close(process)


def test_an_instance_is_made_queried_paused_and_deleted(quick: LocalCloud) -> None:
    with quick.aura() as client:
        made = create(quick, client, type="free-db")
        assert wait(client, made, "running")["connection_url"] == made["connection_url"]
        answer = query(made, "RETURN 1 AS ok")
        assert (answer.status_code, answer.json()["data"]["values"]) == (202, [[1]])
        assert query(made, "RETURN 1", "wrong").status_code == 401
        assert client.delete(f"/instances/{made['id']}").status_code == 202
        deadline = time.monotonic() + 10
        while client.get(f"/instances/{made['id']}").status_code != 404:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_both_apis_answer_from_one_process(quick: LocalCloud) -> None:
    with quick.client() as neon, quick.aura() as aura:
        assert neon.get("/regions").status_code == 200
        assert aura.get("/tenants").json()["data"][0]["id"] == quick.aura_tenant_id


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restart_keeps_credentials_addresses_instances_and_tokens(data: Path, how: str) -> None:
    cloud = start(data, "--pace", "0", *QUICK)
    with cloud.aura() as client:
        made = create(cloud, client)
        shown = wait(client, made, "running")
        if how == "kill":
            kill(cloud)
        else:
            localcloud("stop", data)
        again = start(data)
        for name in (
            "aura_base_url",
            "aura_token_url",
            "aura_client_id",
            "aura_client_secret",
            "aura_tenant_id",
        ):
            assert getattr(again, name) == getattr(cloud, name)
        assert client.get(f"/instances/{made['id']}").json()["data"] == shown
    assert query(made, "RETURN 1 AS ok").status_code == 202


def test_a_kill_right_after_a_creation_loses_neither_instance_nor_password(data: Path) -> None:
    cloud = start(data, "--pace", "0", *QUICK)
    with cloud.aura() as client:
        made = create(cloud, client)
        kill(cloud)
        start(data)
        wait(client, made, "running")
    assert query(made, "RETURN 1").status_code == 202


def test_settings_are_kept_until_they_are_given_again(data: Path) -> None:
    start(data, "--pace", "0", "--aura-rate-limit", "2", "--aura-token-seconds", "7")
    localcloud("stop", data)
    cloud = start(data)
    with cloud.aura() as client:
        assert [client.get("/tenants").status_code for _ in range(3)] == [200, 200, 429]
    ignored = localcloud("start", data, "--aura-rate-limit", "3")
    assert "--aura-rate-limit changes nothing; stop it first" in ignored.stderr
    assert json.loads((data / "localcloud.json").read_text())["aura_token_seconds"] == 7


def test_a_taken_port_is_refused_in_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = localcloud("start", data, "--aura-port", str(port), check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: cannot listen" in refused.stderr
    assert "give another --aura-port" in refused.stderr


def test_secrets_stay_out_of_logs_arguments_screens_and_other_users_hands(
    quick: LocalCloud,
) -> None:
    with quick.aura() as client:
        made = create(quick, client)
        wait(client, made, "running")
        query(made, "RETURN 1")
        token = client.headers["authorization"].removeprefix("Bearer ")
    texts = [
        (quick.data / "localcloud.log").read_text(),
        Path(f"/proc/{quick.pid}/cmdline").read_text(),
        localcloud("status", quick.data).stdout,
    ]
    for secret in (quick.aura_client_secret, made["password"], token):
        assert not [text for text in texts if secret in text]
    for path in quick.data.glob("state.db*"):
        assert made["password"].encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((quick.data / "localcloud.json").stat().st_mode) == 0o600


class _Graph(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(
            {"data": {"fields": ["path"], "values": [[self.path, asked["statement"]]]}}
        )
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        pass


def test_queries_go_on_to_a_neo4j_where_one_is_named(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HTTPServer(("127.0.0.1", 0), _Graph) as graph:
        serving = threading.Thread(target=graph.serve_forever)
        serving.start()
        monkeypatch.setenv("LOCALCLOUD_NEO4J_URL", f"http://u:p@127.0.0.1:{graph.server_port}")
        try:
            cloud = start(data, "--pace", "0", *QUICK)
            with cloud.aura() as client:
                made = create(cloud, client)
                wait(client, made, "running")
            answer = query(made, "MATCH (n) RETURN n")
        finally:
            graph.shutdown()
            serving.join()
    assert answer.json()["data"]["values"] == [["/db/neo4j/query/v2", "MATCH (n) RETURN n"]]
    assert query(made, "RETURN 1").status_code == 503


def test_a_neo4j_that_is_not_on_this_machine_is_refused_in_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALCLOUD_NEO4J_URL", "http://u:secret@neo4j.example.com:7474")
    refused = localcloud("start", data, check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "LOCALCLOUD_NEO4J_URL: must name a loopback address" in refused.stderr
    assert "secret" not in refused.stderr
    assert not data.exists()
