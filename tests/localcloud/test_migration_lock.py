"""Who can hold up a migration, and what its message says then: on a real server, without the engine."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from tenantry.provisioning.errors import BusyError, ProvisioningError
from tenantry.schemas import locking
from tenantry.schemas.connecting import TenantDatabase, connect
from tenantry.schemas.history import history_of
from tenantry.schemas.migrating import Wanted, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.support import Account

PASSWORD = "of-the-login"


@pytest.fixture(scope="module")
def owner(account: Account) -> Iterator[TenantDatabase]:
    project = account.project("locks", branch={"role_name": "owner", "database_name": "app"})
    yield project.app
    project.delete()


@pytest.fixture(scope="module")
def login(owner: TenantDatabase) -> str:
    """The URL of the app's login, which reads and writes what the owner makes."""
    with connect(owner) as connection:
        connection.execute("CREATE ROLE app_rw NOLOGIN")
        connection.execute(f"CREATE ROLE app_login LOGIN PASSWORD '{PASSWORD}' IN ROLE app_rw")
    return f"postgresql://app_login:{PASSWORD}@{owner.host}:{owner.port}/app?sslmode=require"


@pytest.fixture
def database(owner: TenantDatabase, login: str) -> Iterator[TenantDatabase]:
    """The app's database with an empty schema, in which nothing was migrated before."""
    assert login
    with connect(owner) as connection:
        connection.execute("CREATE SCHEMA app")
        connection.execute("GRANT USAGE ON SCHEMA app TO app_rw")
        connection.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_rw"
        )
        yield owner
        connection.execute(f"DROP SCHEMA IF EXISTS app, {locking.SCHEMA} CASCADE")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    versions = tmp_path / "history" / "versions"
    versions.mkdir(parents=True)
    revision(versions, "one", None, "CREATE TABLE items (id int PRIMARY KEY)")
    return tmp_path / "history"


def revision(versions: Path, id_: str, after: str | None, statement: str) -> None:
    (versions / f"{id_}.py").write_text(
        f"from alembic import op\nrevision = {id_!r}\ndown_revision = {after!r}\n"
        f"def upgrade():\n    op.execute({statement!r})\n"
    )


def wanted(folder: Path) -> Wanted:
    history, _ = history_of(None, str(folder))
    return Wanted(None, str(folder), history.up_to(history.resolve("head")))


def test_a_lock_that_the_app_holds_stops_the_revision_in_time_and_is_told(
    database: TenantDatabase, folder: Path, login: str
) -> None:
    done = migrate(database, wanted(folder))
    revision(folder / "versions", "two", "one", "ALTER TABLE items ADD note text")
    with psycopg.connect(login) as holder:
        holder.execute("LOCK TABLE app.items IN ACCESS EXCLUSIVE MODE")
        holder.execute("SELECT 'hunter2' /* of the app's */ FROM app.items WHERE id = 4711")
        with pytest.raises(ProvisioningError) as stopped:
            migrate(database, wanted(folder), done)
        process, role = holder.info.backend_pid, holder.info.user
    said = str(stopped.value)
    assert "acme/shop: schema: revision two failed: canceling statement due to lock timeout" in said
    assert f"; {role} (process {process}) holds app.items (AccessExclusiveLock" in said
    assert " UTC and last ran: SELECT … FROM app.items WHERE id = …; it left nothing" in said
    assert "another session holds a lock on it" in said
    assert "\n" not in said
    assert migrate(database, wanted(folder), done).heads == ("two",)


def test_no_lock_that_the_app_can_take_is_in_a_migrations_way(
    database: TenantDatabase, folder: Path, login: str
) -> None:
    migrate(database, wanted(folder))
    revision(folder / "versions", "two", "one", "ALTER TABLE items ADD note text")
    with psycopg.connect(login, autocommit=True) as app:
        # The advisory lock that was once taken: its key follows from the schema's name.
        app.execute(
            "SELECT pg_advisory_lock(('x' || substr(encode(sha256('tenantry migration app'), 'hex'), 1, 16))"
            "::bit(64)::bigint)"
        )
        for mode in ("ACCESS SHARE", "EXCLUSIVE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(f"LOCK TABLE {locking.TABLE} IN {mode} MODE".encode())
        assert migrate(database, wanted(folder)).heads == ("two",)


def test_the_app_cannot_write_the_record_of_revisions(
    database: TenantDatabase, folder: Path, login: str
) -> None:
    migrate(database, wanted(folder))
    with psycopg.connect(login, autocommit=True) as app:
        app.execute("INSERT INTO app.items VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DELETE FROM app.alembic_version")


def test_two_first_migrations_at_once_run_one_after_the_other(
    database: TenantDatabase, folder: Path
) -> None:
    revision(folder / "versions", "two", "one", "SELECT pg_sleep(1)")
    program = (
        "import pickle, sys\n"
        "from tenantry.schemas.migrating import migrate\n"
        "print(migrate(*pickle.load(sys.stdin.buffer)).heads)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for each in running:
        assert each.stdin is not None
        each.stdin.write(pickle.dumps((database, wanted(folder))))
        each.stdin.close()
        each.stdin = None
    ends = [each.communicate(timeout=60) for each in running]
    assert ends == [(b"('two',)\n", b"")] * 3


def test_a_migration_that_waits_in_vain_says_for_whom(
    database: TenantDatabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = migrate(database, wanted(folder))
    monkeypatch.setattr(locking, "WAIT_SECONDS", 1)
    with connect(database) as first, locking.one_migration(database, first):
        with pytest.raises(BusyError) as stopped:
            migrate(database, wanted(folder), done)
        process = first.info.backend_pid
    said = str(stopped.value)
    assert said.startswith(
        "acme/shop: schema: another migration of this database has been running for 1 s; "
        f"{database.owner} (process {process}) holds tenantry_migrations.lock (ExclusiveLock) since "
    )
    assert migrate(database, wanted(folder), done) == done


def test_a_migration_that_was_killed_leaves_no_lock(database: TenantDatabase, folder: Path) -> None:
    with connect(database) as first, locking.one_migration(database, first):
        with connect(database) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [first.info.backend_pid])
        with pytest.raises(psycopg.errors.AdminShutdown):
            first.execute("SELECT 1")
    assert migrate(database, wanted(folder)).heads == ("one",)


def test_the_lock_is_in_no_revisions_way(database: TenantDatabase, folder: Path) -> None:
    done = migrate(database, wanted(folder))
    (folder / "versions" / "two.py").write_text(
        "from alembic import op\nrevision = 'two'\ndown_revision = 'one'\n"
        "def upgrade():\n"
        "    op.execute('ALTER TABLE alembic_version ADD note text')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY more ON items (id)')\n"
    )
    assert migrate(database, wanted(folder), done).heads == ("two",)


def test_the_lock_outlives_the_servers_patience_with_idle_transactions(
    database: TenantDatabase, folder: Path
) -> None:
    with connect(database) as owner:
        # On Neon it is five minutes.
        owner.execute("ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '200ms'")
        revision(folder / "versions", "two", "one", "SELECT pg_sleep(1)")
        try:
            assert migrate(database, wanted(folder)).heads == ("two",)
        finally:
            owner.execute("ALTER ROLE CURRENT_USER RESET idle_in_transaction_session_timeout")
