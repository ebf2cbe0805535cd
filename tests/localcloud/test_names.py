"""Hosts that are names, as on Neon: on a machine that resolves a domain, which most that run the tests do not."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from localcloud.postgres.addresses import claim
from tests.localcloud.support import Account, Project, query
from tests.localcloud_fixture import LocalCloud, localcloud, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = "cloud.test"
# The command, on a machine that resolves the domain to an address.
COMMAND = """
import socket, sys
from localcloud.cli import main

address, ask = sys.argv.pop(1), socket.getaddrinfo

def getaddrinfo(name, *arguments, **options):
    below = isinstance(name, str) and name.endswith(".cloud.test")
    return ask(address if below else name, *arguments, **options)

socket.getaddrinfo = getaddrinfo
sys.exit(main())
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    found, listener = claim(str(tmp_path_factory.getbasetemp()), "names", ())
    listener.close()
    return found


@contextlib.contextmanager
def resolving(data: Path, address: str, *options: str) -> Iterator[LocalCloud]:
    """Run a local cloud that finds the address behind every name below the domain."""
    command = [sys.executable, "-c", COMMAND, address, "start", "--foreground", "--data", str(data)]
    limits = ("--pace", "0", "--neon-rate-limit", "0")
    with subprocess.Popen(
        [*command, *limits, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while localcloud("status", data, check=False).returncode != 0:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield start(data)
        finally:
            localcloud("stop", data)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("names") / "data"
    yield folder
    localcloud("reset", folder)


def reached(uri: str, cloud: LocalCloud, address: str, **more: str) -> str:
    """Return a connection string that gives the address with the name, as a resolver would."""
    verified = {"sslmode": "verify-full", "sslrootcert": str(cloud.ca_file)}
    return make_conninfo(uri, hostaddr=address, **verified | more)


def test_new_endpoints_get_names_and_those_of_before_keep_their_addresses(
    data: Path, address: str
) -> None:
    cloud = start(data, "--pace", "0")
    assert cloud.hosts == "addresses"
    with cloud.client() as client:
        before = Account(cloud, client).project("before").uri
    localcloud("stop", data)

    with resolving(data, address, "--domain", DOMAIN) as cloud, cloud.client() as client:
        assert cloud.hosts == f"names below {DOMAIN}, at {address}"
        account = Account(cloud, client)
        project = account.project("named", region_id="aws-eu-west-2")
        endpoint = account.ask("GET", project.endpoint)["endpoint"]
        below = f"eu-west-2.aws.{DOMAIN}"
        assert endpoint["proxy_host"] == below
        assert urlsplit(project.uri).hostname == endpoint["host"] == f"{endpoint['id']}.{below}"
        assert urlsplit(project.pooled_uri).hostname == f"{endpoint['id']}-pooler.{below}"
        asked = {"role_name": "neondb_owner", "database_name": "neondb", "pooled": "true"}
        assert account.ask("GET", f"{project.path}/connection_uri", **asked) == {
            "uri": project.pooled_uri
        }
        for uri in (project.uri, project.pooled_uri):
            assert query(reached(uri, cloud, address), "SELECT 1") == [(1,)]
        assert query(before, "SELECT 1") == [(1,)]
        check_sessions(project, cloud, address)

    # A host that was given out once stays valid, also where names are no longer wanted or found.
    cloud = start(data, "--domain", "")
    assert cloud.hosts == "addresses"
    for uri in (project.uri, project.pooled_uri):
        assert query(reached(uri, cloud, address), "SELECT 1") == [(1,)]
    assert query(before, "SELECT 1") == [(1,)]
    with cloud.client() as client:
        account = Account(cloud, client)
        after = account.project("after")
        assert str(urlsplit(after.uri).hostname).startswith("127.")
        account.ask("DELETE", project.path)
        with pytest.raises(psycopg.OperationalError, match="endpoint could not be found"):
            query(reached(project.uri, cloud, address), "SELECT 1")
        account.ask("POST", f"{project.path}/recover")
        assert query(reached(project.uri, cloud, address), "SELECT 1") == [(1,)]


def check_sessions(project: Project, cloud: LocalCloud, address: str) -> None:
    """See that several endpoints share the address, and that what comes without a name finds its way."""
    other = project.account.project("other")
    query(reached(project.uri, cloud, address), "CREATE TABLE mine AS SELECT 1 AS n")
    query(reached(other.uri, cloud, address), "CREATE TABLE mine AS SELECT 2 AS n")
    assert query(reached(project.uri, cloud, address), "SELECT n FROM mine") == [(1,)]
    mute: dict[str, Any] = {"sslsni": "0", "sslmode": "require"}
    with pytest.raises(psycopg.OperationalError, match="Endpoint ID is not specified"):
        query(reached(project.uri, cloud, address, **mute), "SELECT 1")
    endpoint = str(urlsplit(project.uri).hostname).partition(".")[0]
    named = reached(project.uri, cloud, address, options=f"endpoint={endpoint}", **mute)
    assert query(named, "SELECT n FROM mine") == [(1,)]
    stranger = make_conninfo(project.uri, host=f"ep-none.eu-west-2.aws.{DOMAIN}")
    with pytest.raises(psycopg.OperationalError, match="endpoint could not be found"):
        query(reached(stranger, cloud, address), "SELECT 1")
    with psycopg.connect(reached(project.uri, cloud, address)) as connection:
        # The old form, which names nothing as it comes without TLS.
        timer = threading.Timer(0.2, connection.cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(20)")
        timer.join()
    other.delete()


def test_a_domain_that_does_not_lead_here_is_said_and_leaves_addresses(tmp_path: Path) -> None:
    data = tmp_path / "data"
    cloud = start(data, "--domain", "names.invalid")
    try:
        assert cloud.hosts.startswith("addresses: names below names.invalid do not resolve here (")
        assert cloud.hosts in localcloud("status", data).stdout
        with cloud.client() as client:
            host = urlsplit(Account(cloud, client).project().uri).hostname
        assert str(host).startswith("127.")
    finally:
        localcloud("reset", data)


def test_an_address_that_another_program_has_is_said_and_leaves_addresses(tmp_path: Path) -> None:
    taken, listener = claim(str(tmp_path), "taken", ())
    with (
        listener,
        resolving(tmp_path / "data", taken, "--domain", DOMAIN) as cloud,
        cloud.client() as client,
    ):
        assert cloud.hosts.startswith(f"addresses: {taken}:5432: cannot listen")
        host = urlsplit(Account(cloud, client).project().uri).hostname
        assert str(host).startswith("127.")
    localcloud("reset", tmp_path / "data")
