"""The daemon: start, stop, crash, restart, and data folders that it must leave alone."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from localcloud.postgres.installation import outside_folder
from tests.localcloud.support import Account, Project, query
from tests.localcloud_fixture import local_cloud, localcloud, start

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    if (folder / "localcloud.json").exists():
        localcloud("reset", folder, check=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with local_cloud(tmp_path_factory.mktemp("daemon") / "data") as cloud, cloud.client() as client:
        yield Account(cloud, client).project()


def servers(data: Path) -> list[int]:
    """Return the process ids of the PostgreSQL servers on a data folder."""
    homes = [os.fsencode(data) + b"/", os.fsencode(outside_folder(data)) + b"/"]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(part.startswith(home) for part in command for home in homes):
            found.append(int(process.name))
    return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def await_true(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_start_status_and_stop_say_the_same_and_can_be_repeated(data: Path) -> None:
    first = start(data, "--pace", "0")
    assert start(data) == first
    shown = localcloud("status", data, "--json")
    assert json.loads(shown.stdout)["neon_api_url"] == first.neon_api_url
    assert json.loads(shown.stdout)["ca_file"] == str(data / "tls" / "ca.pem")
    text = localcloud("status", data).stdout
    assert first.neon_api_url in text
    assert first.neon_api_key not in text
    assert "stopped" in localcloud("stop", data).stdout
    assert gone(first.pid)
    assert "not running" in localcloud("stop", data).stdout
    assert localcloud("status", data, check=False).returncode == 3


def test_commands_that_start_it_at_the_same_time_get_the_same_cloud(data: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clouds = list(pool.map(lambda _: start(data), range(4)))
    assert len({cloud.pid for cloud in clouds}) == 1
    with clouds[0].client() as client:
        assert client.get("/regions").status_code == 200


def test_settings_for_the_users_own_clients_do_not_reach_the_daemon(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = [each.envvar.decode() for each in psycopg.pq.Conninfo.get_defaults() if each.envvar]
    assert {"PGHOST", "PGOPTIONS", "PGCHANNELBINDING", "PGSSLMODE", "PGSERVICE"} <= {*variables}
    with monkeypatch.context() as shell:
        for name in (*variables, "PGSERVICEFILE", "PGSYSCONFDIR", "PGDATA", "PSYCOPG_IMPL"):
            shell.setenv(name, "nonsense")
        cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        project = Account(cloud, client).project()
        # A copy of a branch that is in use is made by a program of PostgreSQL's, a client as well.
        assert query(project.uri, "SELECT 1") == [(1,)]
        made = project.do(
            "POST", f"{project.path}/branches", {"endpoints": [{"type": "read_write"}]}
        )
    assert query(made["connection_uris"][0]["connection_uri"], "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("mask", "name"),
    [(0o000, "open"), (0o077, "sp ace 'é日'"), (0o777, 'a "$HOME"`id`:b\\')],
    ids=["nobody is kept out", "others are kept out", "everybody is kept out"],
)
def test_any_umask_and_any_name_of_the_data_folder_will_do(
    tmp_path: Path, mask: int, name: str
) -> None:
    # pytest's own folders are closed to the account that PostgreSQL runs as for root.
    data = tmp_path / name
    previous = os.umask(mask)
    try:
        cloud = start(data, "--pace", "0")
    finally:
        os.umask(previous)
    try:
        with cloud.client() as client:
            project = Account(cloud, client).project()
            query(project.uri, "CREATE EXTENSION vector", "CREATE EXTENSION pg_trgm")
            made = project.do(
                "POST", f"{project.path}/branches", {"endpoints": [{"type": "read_write"}]}
            )
        assert query(made["connection_uris"][0]["connection_uri"], "SELECT 1") == [(1,)]
        settings = json.loads((data / "localcloud.json").read_text())
        for path in (data / "localcloud.json", data / "state.db", data / "tls" / "ca.key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(settings["clusters"]).stat().st_mode) == 0o700
        for path in (data, *data.iterdir()):
            assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0
        assert localcloud("status", data).stdout.startswith("local cloud runs")
    finally:
        localcloud("reset", data)
    assert not data.exists()
    assert not outside_folder(data).exists()


def test_it_tells_which_extensions_a_database_can_have(running: Project) -> None:
    told = running.account.cloud.extensions
    available = {name for (name,) in query(running.uri, "SELECT name FROM pg_available_extensions")}
    assert {"vector", "pg_trgm", "citext", "hstore", "dblink"} <= {*told} <= available
    created = []
    for name in sorted(available - {"plpgsql"}):
        try:
            query(running.uri, f'CREATE EXTENSION "{name}" CASCADE')
        except psycopg.errors.InsufficientPrivilege:
            continue
        created.append(name)
        query(running.uri, f'DROP EXTENSION "{name}" CASCADE')
    assert [*created] == [name for name in told if name != "plpgsql"]


def test_a_restart_keeps_everything(data: Path) -> None:
    cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        project = Account(cloud, client).project("kept")
        query(project.uri, "CREATE TABLE t AS SELECT 1 AS n")
        before = client.get(f"{project.path}/branches").json()
    localcloud("stop", data)
    assert servers(data) == []
    again = start(data)
    assert (again.neon_api_url, again.neon_api_key) == (cloud.neon_api_url, cloud.neon_api_key)
    with again.client() as client:
        assert client.get(f"{project.path}/branches").json() == before
        endpoint = client.get(project.endpoint).json()["endpoint"]
        assert endpoint["current_state"] == "idle"
        assert client.get(f"{project.branch}/roles/neondb_owner/reveal_password").json() == {
            "password": urlsplit(project.uri).password
        }
    assert query(project.uri, "SELECT n FROM t") == [(1,)]


def test_a_killed_cloud_leaves_no_server_and_loses_no_data(data: Path) -> None:
    cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        project = Account(cloud, client).project("killed")
    with psycopg.connect(project.uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (n int)")
        connection.execute("INSERT INTO t SELECT generate_series(1, 1000)")
        assert servers(data)
        os.kill(cloud.pid, signal.SIGKILL)
        await_true(lambda: gone(cloud.pid))
    assert localcloud("status", data, check=False).returncode == 3
    await_true(lambda: servers(data) == [])
    start(data)
    assert query(project.uri, "SELECT count(*) FROM t") == [(1000,)]
    localcloud("stop", data)
    assert servers(data) == []


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_made_over_sql_is_known_after_a_restart(data: Path, how: str) -> None:
    cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        project = Account(cloud, client).project()
    query(project.uri, "CREATE DATABASE made OWNER neondb_owner", "CREATE ROLE app_role")
    if how == "kill":
        os.kill(cloud.pid, signal.SIGKILL)
        await_true(lambda: gone(cloud.pid))
    else:
        localcloud("stop", data)
    again = start(data)
    with again.client() as client:
        asked = {"role_name": "neondb_owner", "database_name": "made"}
        uri = client.get(f"{project.path}/connection_uri", params=asked).raise_for_status()
        roles = client.get(f"{project.branch}/roles").json()["roles"]
        assert [each["name"] for each in roles] == ["neondb_owner", "app_role"]
        assert client.get(project.endpoint).json()["endpoint"]["current_state"] == "idle"
        assert servers(data) == []
    assert query(uri.json()["uri"], "SELECT current_database()") == [("made",)]


def test_a_start_stops_servers_that_outlived_a_killed_cloud(data: Path) -> None:
    cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        project = Account(cloud, client).project("stray")
        query(project.uri, "CREATE TABLE t AS SELECT 1 AS n")
    # A stopped process takes the signal that the kernel sends it at its parent's death only once it goes on.
    strays = servers(data)
    for pid in strays:
        os.kill(pid, signal.SIGSTOP)
    os.kill(cloud.pid, signal.SIGKILL)
    await_true(lambda: gone(cloud.pid))
    assert servers(data) == strays
    for pid in strays:
        os.kill(pid, signal.SIGCONT)
    start(data)
    assert all(gone(pid) for pid in strays)
    assert query(project.uri, "SELECT n FROM t") == [(1,)]


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_operations_that_were_under_way_are_carried_to_their_end(data: Path, delay: float) -> None:
    cloud = start(data, "--pace", "0.05")
    with cloud.client() as client:
        account = Account(cloud, client)
        body = {"project": {"name": "cut", "org_id": cloud.neon_org_id}}
        project = Project(account, account.ask("POST", "/projects", body))
        time.sleep(delay)
    os.kill(cloud.pid, signal.SIGKILL)
    await_true(lambda: gone(cloud.pid))
    again = start(data)
    with again.client() as client:
        project.account = Account(again, client)
        operations = project.wait()
        assert {each["status"] for each in operations} == {"finished"}
        assert client.get(project.branch).json()["branch"]["current_state"] == "ready"
    assert query(project.uri, "SELECT 1") == [(1,)]


def test_two_clouds_share_a_machine(tmp_path: Path) -> None:
    with (
        local_cloud(tmp_path / "a") as first,
        local_cloud(tmp_path / "b") as second,
        first.client() as one,
        second.client() as two,
    ):
        assert first.neon_api_url != second.neon_api_url
        uris = [Account(first, one).project().uri, Account(second, two).project().uri]
        assert len({urlsplit(uri).hostname for uri in uris}) == 2
        for number, uri in enumerate(uris):
            query(uri, f"CREATE TABLE mine AS SELECT {number} AS n")
        for number, uri in enumerate(uris):
            assert query(uri, "SELECT n FROM mine") == [(number,)]
    assert not (tmp_path / "a").exists()
    assert not outside_folder(tmp_path / "a").exists()


def test_a_second_daemon_on_the_same_data_is_refused(running: Project) -> None:
    cloud = running.account.cloud
    refused = localcloud("start", cloud.data, "--foreground", check=False)
    assert refused.returncode == 1
    assert f"process {cloud.pid}" in refused.stderr
    assert not gone(cloud.pid)


def test_its_ports_are_none_that_outgoing_connections_get(running: Project) -> None:
    # It wants the same ones back when it is started again.
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    cloud = running.account.cloud
    for url in (cloud.neon_api_url, cloud.aura_base_url):
        assert (urlsplit(url).port or 0) < outgoing


def test_a_taken_port_is_refused_in_one_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = localcloud("start", data, "--port", str(port), check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}: cannot listen" in refused.stderr


def test_data_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    marker = {"kind": "localcloud data", "format": 999}
    (tmp_path / "localcloud.json").write_text(json.dumps(marker))
    for command in ("start", "status", "stop", "reset"):
        refused = localcloud(command, tmp_path, check=False)
        assert refused.returncode == 1
        assert "newer" in refused.stderr


def test_a_folder_that_is_not_ours_is_neither_used_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    for command in ("start", "reset"):
        refused = localcloud(command, tmp_path, check=False)
        assert refused.returncode == 1
        assert "give another --data" in refused.stderr
    assert (tmp_path / "precious").read_text() == "data"
    assert localcloud("reset", tmp_path / "nothing").returncode == 0


def test_a_reset_leaves_nothing(data: Path) -> None:
    cloud = start(data, "--pace", "0")
    with cloud.client() as client:
        Account(cloud, client).project()
    localcloud("reset", data)
    assert gone(cloud.pid)
    assert servers(data) == []
    assert not data.exists()
    assert not outside_folder(data).exists()


def test_secrets_stay_out_of_logs_arguments_and_other_users_hands(running: Project) -> None:
    project, cloud = running, running.account.cloud
    data = cloud.data
    role = project.do("POST", f"{project.branch}/roles", {"role": {"name": "r"}})["role"]
    with pytest.raises(psycopg.errors.UndefinedObject):
        query(project.uri, "ALTER ROLE nobody PASSWORD 'topsecret99'")
    password = urlsplit(project.uri).password
    assert password
    settings = json.loads((data / "localcloud.json").read_text())
    secrets = [
        cloud.neon_api_key,
        password,
        role["password"],
        settings["superuser_password"],
        "topsecret99",
    ]
    clusters = Path(settings["clusters"])
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (cloud.pid, *servers(data))]
    logs = [
        path.read_text() for path in (data / "localcloud.log", *clusters.glob("branches/*.log"))
    ]
    assert len(logs) == 2
    for text in (*commands, *logs):
        assert not [secret for secret in secrets if secret in text]
    for path in (
        data / "localcloud.json",
        data / "state.db",
        data / "tls" / "ca.key",
        clusters,
    ):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_an_idle_cloud_costs_nothing(running: Project) -> None:
    cloud = running.account.cloud
    query(running.uri, "SELECT 1")

    def ticks() -> int:
        total = 0
        for pid in (cloud.pid, *servers(cloud.data)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total

    time.sleep(0.3)
    before = ticks()
    time.sleep(1.5)
    assert (ticks() - before) / os.sysconf("SC_CLK_TCK") < 0.02
