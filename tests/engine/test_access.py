"""What an app's login may do and what it may not, proved by connecting."""

from urllib.parse import urlsplit

import psycopg
import pytest

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: access
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          connection_limit: 3
          statement_timeout: 700ms
          idle_in_transaction_timeout: 500ms
        deletion: delete
      other:
        environment: production
        region: aws-us-east-2
        deletion: delete
"""


@pytest.fixture(scope="module")
def converged(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("access") / "workspace", cloud.env())
    workspace.apply(REGISTRY)
    return workspace


@pytest.fixture(scope="module")
def url(converged: Workspace) -> str:
    return converged.url("acme/web")


@pytest.fixture(scope="module")
def owner_url(converged: Workspace, cloud: LocalCloud) -> str:
    """The owner's connection, as a migration has it."""
    project = converged.outputs()["apps"]["acme/web"]["project"]
    with cloud.client() as client:
        answer = client.get(
            f"/projects/{project}/connection_uri",
            params={"database_name": "tenant_acme__web", "role_name": "tenant_acme__web__owner"},
        )
    uri: str = answer.raise_for_status().json()["uri"]
    return uri


@pytest.fixture(scope="module", autouse=True)
def made_later(owner_url: str) -> None:
    """Objects that the owner makes after the app was converged, as a migration would."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("CREATE TABLE app.notes (id serial PRIMARY KEY, body text NOT NULL)")
        connection.execute(
            "CREATE FUNCTION app.notes_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.notes'"
        )
        connection.execute("REVOKE EXECUTE ON FUNCTION app.notes_count() FROM PUBLIC")


@pytest.mark.parametrize("kind", ["direct", "pooled"])
def test_the_login_reads_and_writes_what_the_owner_made_later(
    converged: Workspace, kind: str
) -> None:
    with psycopg.connect(converged.url("acme/web", kind)) as connection:
        connection.execute("INSERT INTO notes (body) VALUES ('first')")
        connection.execute("UPDATE notes SET body = 'changed'")
        assert connection.execute("SELECT body FROM notes").fetchall() == [("changed",)]
        assert connection.execute("SELECT notes_count()").fetchone() == (1,)
        connection.execute("DELETE FROM notes")
        connection.execute("CREATE TEMPORARY TABLE scratch (n int)")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.intruder (n int)",
        "CREATE TABLE app.intruder (n int)",
        "CREATE SCHEMA intruder",
        "CREATE ROLE intruder",
        "CREATE DATABASE intruder",
        "CREATE EXTENSION hstore",
        "ALTER TABLE app.notes ADD COLUMN more text",
        "TRUNCATE app.notes",
        "DROP TABLE app.notes",
        "SET ROLE tenant_acme__web__owner",
        "ALTER ROLE tenant_acme__web__owner PASSWORD 'x'",
        "GRANT tenant_acme__web__owner TO tenant_acme__web__login_a",
    ],
)
def test_the_login_may_not(url: str, statement: str) -> None:
    with (
        psycopg.connect(url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_the_login_is_refused_by_another_apps_database(converged: Workspace, url: str) -> None:
    other = urlsplit(converged.url("acme/other"))
    elsewhere = urlsplit(url)._replace(
        netloc=f"{urlsplit(url).username}:{urlsplit(url).password}@{other.hostname}",
        path=other.path,
    )
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(elsewhere.geturl()).close()


def test_the_database_is_closed_to_public(url: str) -> None:
    with psycopg.connect(url) as connection:
        rights = connection.execute(
            "SELECT datacl::text[] FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert rights is not None
    grantees = {right.split("=")[0].strip('"') for right in rights[0]}
    assert grantees == {"tenant_acme__web__owner", "tenant_acme__web__rw"}


def test_a_statement_that_runs_too_long_is_cancelled(url: str) -> None:
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(5)")


def test_a_transaction_that_idles_is_ended(url: str) -> None:
    with psycopg.connect(url) as connection, psycopg.connect(url) as watcher:
        watcher.autocommit = True
        connection.execute("SELECT 1")
        for _ in range(4):
            watcher.execute("SELECT pg_sleep(0.4)")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            connection.execute("SELECT 1")


def test_the_connection_limit_holds_and_leaves_room_for_a_run(
    converged: Workspace, url: str
) -> None:
    held = [psycopg.connect(url) for _ in range(3)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(url).close()
        converged.must("refresh", "--preview-only", "--expect-no-changes")
    finally:
        for connection in held:
            connection.close()


def test_a_connection_without_tls_is_refused(url: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("sslmode=require", "sslmode=disable")).close()


def test_neither_the_owner_nor_the_login_is_a_superuser(url: str) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname LIKE 'tenant%'"
        ).fetchall()
    assert found == []
