"""The control plane's database: of no project, there after every death, asleep when nobody needs it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import os
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from localcloud import control_plane
from localcloud import settings as settings_file
from localcloud.control_plane import CLUSTER, ControlPlane
from localcloud.faults.standing import Faults
from localcloud.postgres.certificates import prepare_authority
from localcloud.postgres.installation import outside_folder, prepare
from localcloud.postgres.template import make_template
from tests.localcloud.support import Account, query
from tests.localcloud_fixture import localcloud, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localcloud.postgres.installation import Installation
    from localcloud.settings import Settings
    from tests.localcloud_fixture import LocalCloud

OWNER_OF_DATABASE = (
    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalCloud]:
    """A local cloud of the test's own, to which nobody has connected."""
    yield start(tmp_path / "data", "--pace", "0")
    localcloud("reset", tmp_path / "data")


def branches(data: Path) -> Path:
    return Path(json.loads((data / "localcloud.json").read_text())["clusters"]) / "branches"


def postmaster(data: Path) -> int | None:
    """Return the process id of the server, or None while it sleeps."""
    try:
        text = (branches(data) / CLUSTER / "postmaster.pid").read_text()
    except FileNotFoundError:
        return None
    return int(text.partition("\n")[0])


def await_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_its_role_owns_the_database_and_makes_roles_and_is_no_superuser(cloud: LocalCloud) -> None:
    url = cloud.catalog_url
    parts = urlsplit(url)
    assert (parts.scheme, parts.username, parts.port) == ("postgresql", "tenantry_catalog", 5432)
    assert (parts.path, parts.query) == ("/tenantry", "sslmode=require")
    assert query(url, OWNER_OF_DATABASE) == [("tenantry_catalog",)]
    assert query(url, "SELECT extname FROM pg_extension") == [("plpgsql",)]
    assert query(url, "SHOW server_version_num")[0][0].startswith("18")
    attributes = "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert query(url, attributes) == [(False, True)]
    query(url, "CREATE SCHEMA catalog", "CREATE ROLE writer LOGIN PASSWORD 'abc123'")
    query(
        url,
        "GRANT CONNECT ON DATABASE tenantry TO writer",
        "GRANT USAGE ON SCHEMA catalog TO writer",
    )
    writer = url.replace(f"tenantry_catalog:{parts.password}@", "writer:abc123@")
    assert query(writer, "SELECT current_user") == [("writer",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(writer, "CREATE TABLE catalog.t (n int)")


def test_a_hundred_clients_connect_at_once_to_a_server_that_was_never_started(
    own: LocalCloud,
) -> None:
    assert not (branches(own.data) / CLUSTER).exists()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        opened = list(
            pool.map(lambda _: psycopg.connect(own.catalog_url, connect_timeout=30), range(100))
        )
    try:
        assert [each.execute("SELECT 1").fetchone() for each in opened] == [(1,)] * 100
    finally:
        for each in opened:
            each.close()


def test_the_api_does_not_know_it(own: LocalCloud) -> None:
    query(own.catalog_url, "CREATE TABLE t (n int)")
    with own.client() as client:
        account = Account(own, client)
        org = {"org_id": own.neon_org_id}
        assert account.ask("GET", "/projects", **org)["projects"] == []
        project = account.project("the only one")
        assert [each["id"] for each in account.ask("GET", "/projects", **org)["projects"]] == [
            project.id
        ]
        host = urlsplit(own.catalog_url).hostname
        for part in ("branches", "endpoints", "operations"):
            text = client.get(f"{project.path}/{part}").text
            assert CLUSTER not in text
            assert str(host) not in text
        project.delete()
    assert query(own.catalog_url, "SELECT count(*) FROM t") == [(0,)]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_it_is_as_it_was_after_the_local_clouds_end(own: LocalCloud, how: str) -> None:
    query(own.catalog_url, "CREATE TABLE t AS SELECT 7 AS n", "REVOKE ALL ON t FROM PUBLIC")
    server = postmaster(own.data)
    assert server
    if how == "kill":
        os.kill(own.pid, signal.SIGKILL)
    else:
        localcloud("stop", own.data)
    await_end(own.pid)
    await_end(server)
    again = start(own.data)
    assert again.catalog_url == own.catalog_url
    assert postmaster(own.data) is None
    assert query(again.catalog_url, "SELECT n FROM t") == [(7,)]


def test_a_cloud_killed_while_the_database_was_being_made_makes_it_the_next_time(
    own: LocalCloud,
) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(query, own.catalog_url, "SELECT 1")
        while not (branches(own.data) / CLUSTER).exists():
            assert not connecting.done()
            time.sleep(0.001)
        os.kill(own.pid, signal.SIGKILL)
        await_end(own.pid)
        with pytest.raises(psycopg.OperationalError):
            connecting.result()
    start(own.data)
    assert query(own.catalog_url, OWNER_OF_DATABASE) == [("tenantry_catalog",)]


def test_a_killed_server_comes_back_with_the_next_connection(cloud: LocalCloud) -> None:
    with psycopg.connect(cloud.catalog_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE killed AS SELECT 9 AS n")
        server = postmaster(cloud.data)
        assert server
        os.kill(server, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(10)")
    assert query(cloud.catalog_url, "SELECT n FROM killed") == [(9,)]
    assert postmaster(cloud.data) not in {None, server}


def test_a_data_folder_from_before_it_gets_one(own: LocalCloud) -> None:
    localcloud("stop", own.data)
    marker = own.data / "localcloud.json"
    document = json.loads(marker.read_text())
    del document["catalog_host"], document["catalog_password"]
    marker.write_text(json.dumps(document))
    again = start(own.data)
    assert query(again.catalog_url, "SELECT 1") == [(1,)]


def test_a_reset_removes_it(own: LocalCloud) -> None:
    query(own.catalog_url, "SELECT 1")
    server = postmaster(own.data)
    assert server
    localcloud("reset", own.data)
    await_end(server)
    assert not own.data.exists()
    assert not outside_folder(own.data).exists()
    other = start(own.data, "--pace", "0")
    assert urlsplit(other.catalog_url).password != urlsplit(own.catalog_url).password


def test_its_password_is_the_owners_alone(cloud: LocalCloud) -> None:
    query(cloud.catalog_url, "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cloud.catalog_url, password="wrong")
    password = urlsplit(cloud.catalog_url).password
    server = postmaster(cloud.data)
    assert password
    assert server
    shown = localcloud("start", cloud.data).stdout + localcloud("status", cloud.data).stdout
    assert any(
        line.split() == ["catalog_url", "(shown", "by", "--json)"] for line in shown.splitlines()
    )
    logs = [cloud.data / "localcloud.log", branches(cloud.data) / f"{CLUSTER}.log"]
    arguments = [Path(f"/proc/{pid}/cmdline") for pid in (cloud.pid, server)]
    for text in (shown, *(path.read_text() for path in (*logs, *arguments))):
        assert text
        assert password not in text
    marker = cloud.data / "localcloud.json"
    assert password in marker.read_text()
    assert stat.S_IMODE(marker.stat().st_mode) == 0o600


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[tuple[Settings, Installation]]:
    """Settings and data directories as a start prepares them, with no daemon."""
    data = tmp_path / "data"
    data.mkdir()
    settings = settings_file.fresh()
    installation = prepare(data, "")
    settings.clusters = str(installation.clusters)
    settings_file.save(data, settings)
    asyncio.run(make_template(installation, settings.superuser_password))
    yield settings, installation
    localcloud("reset", data)


def test_it_sleeps_when_idle_and_wakes_for_a_connection(
    tmp_path: Path, installed: tuple[Settings, Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, installation = installed
    monkeypatch.setattr(control_plane, "DEFAULT_SUSPEND_SECONDS", 0.3)

    async def asleep() -> None:
        async with asyncio.timeout(10):
            while postmaster(tmp_path / "data") is not None:
                await asyncio.sleep(0.02)

    async def scenario() -> None:
        catalog = ControlPlane(settings, installation, Faults())
        catalog.listen(prepare_authority(tmp_path))
        try:
            url = settings.catalog_url
            await asyncio.to_thread(query, url, "CREATE TABLE t AS SELECT 5 AS n")
            assert postmaster(tmp_path / "data")
            await asleep()
            assert await asyncio.to_thread(query, url, "SELECT n FROM t") == [(5,)]
            # A running statement keeps it awake for longer than an idle session would.
            assert await asyncio.to_thread(query, url, "SELECT pg_sleep(1) IS NULL, n FROM t") == [
                (False, 5)
            ]
            await asleep()
        finally:
            await catalog.close()

    asyncio.run(scenario())


def test_a_database_that_cannot_be_made_is_said_to_the_client_and_holds_no_server(
    tmp_path: Path, installed: tuple[Settings, Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, installation = installed

    async def scenario() -> None:
        catalog = ControlPlane(settings, installation, Faults())
        catalog.listen(prepare_authority(tmp_path))
        try:
            monkeypatch.setattr(control_plane, "CATALOG_ROLE", "pg_reserved")
            for _ in range(2):
                with pytest.raises(psycopg.OperationalError, match="cannot be made: role name"):
                    await asyncio.to_thread(query, settings.catalog_url, "SELECT 1")
                assert postmaster(tmp_path / "data") is None
            monkeypatch.undo()
            assert await asyncio.to_thread(query, settings.catalog_url, "SELECT 1") == [(1,)]
        finally:
            await catalog.close()

    asyncio.run(scenario())
