"""PostgreSQL behind the API: connections, roles, branches, sleep and wake."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.localcloud.support import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.support import Account, Project


@pytest.fixture(scope="module")
def project(account: Account) -> Iterator[Project]:
    made = account.project("plane", branch={"role_name": "app_owner", "database_name": "app"})
    yield made
    made.delete()


def test_the_projects_role_connects_over_tls_and_owns_its_database(project: Project) -> None:
    with psycopg.connect(project.uri) as connection:
        assert connection.pgconn.ssl_in_use
        row = connection.execute(
            "SELECT current_user, pg_get_userbyid(datdba), encoding = 6 FROM pg_database WHERE datname = 'app'"
        ).fetchone()
    assert row == ("app_owner", "app_owner", True)


def test_the_projects_role_is_made_like_neons(project: Project) -> None:
    rows = query(
        project.uri,
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication, rolcanlogin, "
        "pg_has_role(oid, 'neon_superuser', 'MEMBER') FROM pg_roles WHERE rolname = current_user",
    )
    assert rows == [(False, True, True, True, True, True, True)]
    rows = query(
        project.uri,
        "SELECT rolsuper, rolcanlogin, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'neon_superuser'",
    )
    assert rows == [(False, False, True, True)]


def test_the_projects_role_makes_roles_databases_and_extensions_over_sql(project: Project) -> None:
    query(
        project.uri,
        "CREATE ROLE made_over_sql LOGIN PASSWORD 'abc123'",
        "CREATE DATABASE second OWNER app_owner CONNECTION LIMIT 3",
        *(
            f"CREATE EXTENSION {name}"
            for name in ("pg_trgm", "vector", "pg_stat_statements", "dblink")
        ),
    )
    listed = project.account.ask("GET", f"{project.branch}/databases")["databases"]
    assert [each["name"] for each in listed] == ["app", "second"]
    listed = project.account.ask("GET", f"{project.branch}/roles")["roles"]
    assert [each["name"] for each in listed] == ["app_owner", "made_over_sql"]
    query(project.uri, "DROP DATABASE second", "DROP ROLE made_over_sql")
    listed = project.account.ask("GET", f"{project.branch}/databases")["databases"]
    assert [each["name"] for each in listed] == ["app"]


def test_what_was_made_over_sql_is_known_while_the_compute_sleeps(project: Project) -> None:
    account, uri_path = project.account, f"{project.path}/connection_uri"
    asked = {"role_name": "app_owner", "database_name": "third"}
    assert account.refusal("GET", uri_path, **asked)[0] == 404
    query(
        project.uri,
        "CREATE ROLE sql_role LOGIN PASSWORD 'abc123'",
        "CREATE DATABASE third OWNER app_owner",
    )
    project.suspend()
    uri = account.ask("GET", uri_path, **asked)["uri"]
    assert account.refusal("GET", uri_path, **(asked | {"role_name": "sql_role"})) == (
        412,
        "password is not stored for the role",
    )
    assert account.ask("GET", f"{project.branch}/roles/sql_role")["role"]["name"] == "sql_role"
    found = account.ask("GET", f"{project.branch}/databases/third")["database"]
    assert found["owner_name"] == "app_owner"
    for never in ({"role_name": "nobody"}, {"database_name": "nothing"}):
        assert account.refusal("GET", uri_path, **(asked | never))[0] == 404
    assert project.state() == "idle"
    assert query(uri, "SELECT current_database()") == [("third",)]
    query(project.uri, "DROP DATABASE third", "DROP ROLE sql_role")
    project.suspend()
    assert account.refusal("GET", uri_path, **asked)[0] == 404
    assert account.refusal("GET", f"{project.branch}/roles/sql_role")[0] == 404
    assert project.state() == "idle"


def test_what_was_made_over_sql_can_be_changed_over_the_api(project: Project) -> None:
    query(project.uri, "CREATE ROLE sql_role LOGIN", "CREATE DATABASE sql_db OWNER app_owner")
    role, database = f"{project.branch}/roles/sql_role", f"{project.branch}/databases/sql_db"
    assert project.account.refusal("GET", f"{role}/reveal_password")[0] == 412
    project.do("PATCH", database, {"database": {"owner_name": "sql_role"}})
    password = project.do("POST", f"{role}/reset_password")["role"]["password"]
    uri = project.account.ask(
        "GET", f"{project.path}/connection_uri", role_name="sql_role", database_name="sql_db"
    )["uri"]
    assert urlsplit(uri).password == password
    assert query(uri, "SELECT current_user") == [("sql_role",)]
    project.do("DELETE", database)
    query(project.uri, "CREATE ROLE another")
    for name in ("sql_role", "another"):
        project.do("DELETE", f"{project.branch}/roles/{name}")
    assert (
        query(project.uri, "SELECT rolname FROM pg_roles WHERE rolname IN ('sql_role', 'another')")
        == []
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE boss SUPERUSER",
        "ALTER ROLE cloud_admin PASSWORD 'x'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER SYSTEM SET fsync = on",
        "CREATE EXTENSION file_fdw",
        "SET ROLE cloud_admin",
    ],
)
def test_the_projects_role_is_no_superuser(project: Project, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(project.uri, statement)


def test_a_connection_without_tls_is_refused_in_neons_words(project: Project) -> None:
    with pytest.raises(psycopg.OperationalError, match="connection is insecure"):
        psycopg.connect(project.uri, sslmode="disable", channel_binding="disable")


def test_a_wrong_password_is_refused(project: Project) -> None:
    password = urlsplit(project.uri).password
    assert password
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(project.uri.replace(password, "wrong"))


def test_the_superuser_cannot_be_used_from_outside(project: Project) -> None:
    host = urlsplit(project.uri).hostname
    for password in ("", "cloud_admin"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                host=host, user="cloud_admin", password=password, dbname="app", sslmode="require"
            )


def test_tls_without_asking_first_works(project: Project) -> None:
    assert query(project.uri + "&sslnegotiation=direct", "SELECT 1") == [(1,)]


@pytest.mark.parametrize("which", ["direct", "pooled", "read-only", "control plane"])
def test_a_login_is_bound_to_a_certificate_that_is_valid_for_its_host(
    project: Project, which: str
) -> None:
    cloud = project.account.cloud
    uri = {"pooled": project.pooled_uri, "control plane": cloud.catalog_url}.get(which, project.uri)
    if which == "read-only":
        wanted = {"branch_id": project.made["branch"]["id"], "type": "read_only"}
        made = project.do("POST", f"{project.path}/endpoints", {"endpoint": wanted})["endpoint"]
        uri = make_conninfo(uri, host=made["host"])
    verified = make_conninfo(uri, sslmode="verify-full", sslrootcert=str(cloud.ca_file))
    assert query(make_conninfo(verified, channel_binding="require"), "SELECT 1") == [(1,)]
    # And without, as older clients do.
    assert query(make_conninfo(verified, channel_binding="disable"), "SELECT 1") == [(1,)]
    if which == "read-only":
        project.do("DELETE", f"{project.path}/endpoints/{made['id']}")


def test_a_certificate_is_not_valid_for_another_endpoints_host(
    project: Project, account: Account
) -> None:
    other = account.project("other")
    host, address = (urlsplit(each.uri).hostname for each in (project, other))
    wrong = make_conninfo(
        project.uri,
        host=host,
        hostaddr=address,
        sslmode="verify-full",
        sslrootcert=str(account.cloud.ca_file),
    )
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        query(wrong, "SELECT 1")
    other.delete()


def test_a_connection_string_asks_for_channel_binding_as_neons_does(project: Project) -> None:
    asked = {"role_name": "app_owner", "database_name": "app"}
    uri = project.account.ask("GET", f"{project.path}/connection_uri", **asked)["uri"]
    assert uri == project.uri
    assert urlsplit(uri).query == "sslmode=require&channel_binding=require"


@pytest.mark.parametrize("binding", ["require", "disable"])
def test_a_bound_login_fails_and_succeeds_as_an_unbound_one(project: Project, binding: str) -> None:
    uri = make_conninfo(project.uri, channel_binding=binding)
    query(
        uri,
        "CREATE ROLE changing LOGIN PASSWORD 'first1'",
        "CREATE ROLE dozing NOLOGIN PASSWORD 'first1'",
        "CREATE ROLE blank LOGIN",
        "CREATE ROLE late LOGIN PASSWORD 'first1' VALID UNTIL '2020-01-01'",
    )

    def log_in(user: str, password: str, **more: str) -> list[Any]:
        return query(make_conninfo(uri, user=user, password=password, **more), "SELECT 1")

    assert log_in("changing", "first1") == [(1,)]
    for user, password in (
        ("changing", "wrong"),
        ("blank", "x"),
        ("late", "first1"),
        ("nobody", "x"),
    ):
        with pytest.raises(
            psycopg.OperationalError, match=f'password authentication failed for user "{user}"'
        ):
            log_in(user, password)
    with pytest.raises(psycopg.OperationalError, match='role "dozing" is not permitted to log in'):
        log_in("dozing", "first1")
    with pytest.raises(psycopg.OperationalError, match='database "none" does not exist'):
        log_in("changing", "first1", dbname="none")
    query(uri, "ALTER ROLE changing PASSWORD 'second2'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in("changing", "first1")
    assert log_in("changing", "second2") == [(1,)]
    query(uri, *(f"DROP ROLE {name}" for name in ("changing", "dozing", "blank", "late")))


def test_the_pooled_host_reaches_the_same_database(project: Project) -> None:
    assert project.pooled_uri != project.uri
    query(project.uri, "CREATE TABLE pooled AS SELECT 42 AS answer")
    assert query(project.pooled_uri, "SELECT answer FROM pooled") == [(42,)]


def test_noise_on_the_port_does_no_harm(project: Project) -> None:
    host = urlsplit(project.uri).hostname
    assert host
    for noise in (
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x08",
        b"\x16\x03\x01\x00\x05hello",
    ):
        with socket.create_connection((host, 5432), timeout=5) as client:
            client.sendall(noise)
    assert query(project.uri, "SELECT 1") == [(1,)]


def test_a_running_statement_can_be_cancelled(project: Project) -> None:
    with psycopg.connect(project.uri) as connection:
        timer = threading.Timer(0.2, connection.cancel_safe)
        timer.start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(20)")
        assert time.monotonic() - started < 5
        timer.join()


def test_much_data_passes_both_ways(project: Project) -> None:
    text = "x" * 5_000_000
    with psycopg.connect(project.uri) as connection:
        row = connection.execute("SELECT %s::text || 'y'", (text,)).fetchone()
    assert row == (text + "y",)


def test_a_suspended_endpoint_wakes_for_the_first_connection(project: Project) -> None:
    query(project.uri, "CREATE TABLE kept AS SELECT 7 AS n")
    project.suspend()
    assert project.state() == "idle"
    started = time.monotonic()
    assert query(project.uri, "SELECT n FROM kept") == [(7,)]
    assert time.monotonic() - started < 1
    assert project.state() == "active"
    newest = project.wait()[:2]
    assert [each["action"] for each in newest] == ["start_compute", "suspend_compute"]


def test_many_first_connections_at_once_all_get_in(project: Project) -> None:
    project.suspend()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: query(project.uri, "SELECT 1"), range(20)))
    assert answers == [[(1,)]] * 20
    assert [each["action"] for each in project.wait()[:2]] == ["start_compute", "suspend_compute"]


def test_a_server_that_was_killed_comes_back_with_the_next_connection(project: Project) -> None:
    settings = json.loads((project.account.cloud.data / "localcloud.json").read_text())
    folder = Path(settings["clusters"]) / "branches" / project.made["branch"]["id"]
    with psycopg.connect(project.uri, autocommit=True) as connection:
        connection.execute("CREATE TABLE survived AS SELECT 9 AS n")
        postmaster = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(postmaster, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(10)")
    assert query(project.uri, "SELECT n FROM survived") == [(9,)]


def test_suspending_ends_open_sessions(project: Project) -> None:
    with psycopg.connect(project.uri, autocommit=True) as connection:
        connection.execute("SELECT 1")
        project.suspend()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_disabled_endpoint_refuses_connections_until_it_is_enabled(project: Project) -> None:
    project.do("PATCH", project.endpoint, {"endpoint": {"disabled": True}})
    with pytest.raises(psycopg.OperationalError, match="has been disabled"):
        query(project.uri, "SELECT 1")
    project.do("PATCH", project.endpoint, {"endpoint": {"disabled": False}})
    assert query(project.uri, "SELECT 1") == [(1,)]


def test_a_branch_is_a_copy_with_data_and_passwords_and_goes_its_own_way(project: Project) -> None:
    query(project.uri, "CREATE TABLE shared AS SELECT 1 AS n")
    made = project.do(
        "POST",
        f"{project.path}/branches",
        {"branch": {"name": "staging"}, "endpoints": [{"type": "read_write"}]},
    )
    branch_uri = made["connection_uris"][0]["connection_uri"]
    assert urlsplit(branch_uri).password == urlsplit(project.uri).password
    assert query(branch_uri, "SELECT n FROM shared") == [(1,)]
    query(branch_uri, "INSERT INTO shared VALUES (2)")
    assert query(project.uri, "SELECT count(*) FROM shared") == [(1,)]
    project.do("DELETE", f"{project.path}/branches/{made['branch']['id']}")
    with pytest.raises(psycopg.OperationalError):
        query(branch_uri, "SELECT 1")


def test_a_branch_copies_a_busy_parent_consistently(project: Project) -> None:
    query(project.uri, "CREATE TABLE ledger (a int, b int)")
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(project.uri, autocommit=True) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute(
                    "INSERT INTO ledger SELECT %s, -%s FROM generate_series(1, 50)",
                    (number, number),
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.2)
        made = project.do(
            "POST", f"{project.path}/branches", {"endpoints": [{"type": "read_write"}]}
        )
    finally:
        stop.set()
        writer.join()
    rows = query(
        made["connection_uris"][0]["connection_uri"],
        "SELECT sum(a + b), count(*) % 50, count(*) > 0 FROM ledger",
    )
    assert rows == [(0, 0, True)]
    project.do("DELETE", f"{project.path}/branches/{made['branch']['id']}", hard_delete="true")


def test_a_branch_of_a_sleeping_parent_is_a_copy_too(project: Project) -> None:
    query(project.uri, "CREATE TABLE slept AS SELECT 3 AS n")
    project.suspend()
    made = project.do("POST", f"{project.path}/branches", {"endpoints": [{"type": "read_write"}]})
    uri = made["connection_uris"][0]["connection_uri"]
    assert query(uri, "SELECT n FROM slept") == [(3,)]
    project.do("DELETE", f"{project.path}/branches/{made['branch']['id']}")


def test_a_branch_of_a_protected_parent_gets_new_passwords(account: Account) -> None:
    project = account.project("protected")
    project.do("PATCH", project.branch, {"branch": {"protected": True}})
    made = project.do("POST", f"{project.path}/branches", {"endpoints": [{"type": "read_write"}]})
    uri = made["connection_uris"][0]["connection_uri"]
    old = urlsplit(project.uri).password
    new = urlsplit(uri).password
    assert old
    assert new
    assert new != old
    assert query(uri, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(uri.replace(new, old), "SELECT 1")
    project.do("PATCH", project.branch, {"branch": {"protected": False}})
    project.delete()


def test_a_read_only_endpoint_gives_read_only_sessions(project: Project) -> None:
    made = project.do(
        "POST",
        f"{project.path}/endpoints",
        {"endpoint": {"branch_id": project.made["branch"]["id"], "type": "read_only"}},
    )["endpoint"]
    host = urlsplit(project.uri).hostname
    assert host
    uri = project.uri.replace(host, made["host"])
    assert query(uri, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        query(uri, "CREATE TABLE no (n int)")
    project.do("DELETE", f"{project.path}/endpoints/{made['id']}")
    assert query(project.uri, "SELECT 1") == [(1,)]


def test_a_reset_password_replaces_the_old_one(project: Project) -> None:
    made = project.do("POST", f"{project.branch}/roles", {"role": {"name": "changing"}})["role"]
    user, password = urlsplit(project.uri).username, urlsplit(project.uri).password
    template = project.uri.replace(f"{user}:{password}@", "changing:{}@")
    assert query(template.format(made["password"]), "SELECT current_user") == [("changing",)]
    path = f"{project.branch}/roles/changing"
    reset = project.do("POST", f"{path}/reset_password")["role"]
    revealed = project.account.ask("GET", f"{path}/reveal_password")
    assert revealed == {"password": reset["password"]}
    assert query(template.format(reset["password"]), "SELECT 1") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(template.format(made["password"]), "SELECT 1")
    project.do("DELETE", path)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(template.format(reset["password"]), "SELECT 1")


def test_a_database_is_made_renamed_given_away_and_dropped(project: Project) -> None:
    project.do("POST", f"{project.branch}/roles", {"role": {"name": "heir"}})
    project.do(
        "POST",
        f"{project.branch}/databases",
        {"database": {"name": "first", "owner_name": "app_owner"}},
    )
    uri = project.uri.replace("/app?", "/renamed?")
    project.do(
        "PATCH",
        f"{project.branch}/databases/first",
        {"database": {"name": "renamed", "owner_name": "heir"}},
    )
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert query(uri, owner) == [("heir",)]
    assert project.account.refusal("DELETE", f"{project.branch}/roles/heir")[0] == 422
    with psycopg.connect(uri):
        project.do("DELETE", f"{project.branch}/databases/renamed")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        query(uri, "SELECT 1")
    project.do("DELETE", f"{project.branch}/roles/heir")


def test_logical_replication_is_switched_on_by_the_project(project: Project) -> None:
    assert query(project.uri, "SHOW wal_level") == [("replica",)]
    project.do(
        "PATCH", project.path, {"project": {"settings": {"enable_logical_replication": True}}}
    )
    assert query(project.uri, "SHOW wal_level") == [("logical",)]
    assert project.state() == "active"
