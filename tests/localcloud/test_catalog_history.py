"""The catalog's own tables on a real server: made, found, and never half made."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tenantry.catalog import connecting
from tenantry.catalog.connecting import engine
from tenantry.catalog.migrating import migrate, revision_of
from tenantry.catalog.revision import newest
from tenantry.catalog.tables import SCHEMA, WRITER, metadata
from tenantry.provisioning.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    MissingError,
    RejectedError,
)
from tests.localcloud.catalog import Catalog

if TYPE_CHECKING:
    from tests.localcloud.support import Account

RELATIONS = f"""
SELECT relname, relkind::text FROM pg_class WHERE relnamespace = to_regnamespace('{SCHEMA}') ORDER BY relname"""
# What Alembic's comparison does not see is read from PostgreSQL itself, in its own words.
DEFINITIONS = f"""
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = '{SCHEMA}'::regnamespace
UNION ALL
SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = '{SCHEMA}'
UNION ALL
SELECT attrelid::regclass::text, attname::text,
       concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attgenerated, pg_get_expr(adbin, adrelid))
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind = 'r') AND attnum > 0
ORDER BY 1, 2, 3"""
VERSIONS = "SELECT version_num FROM tenantry.alembic_version"


def definitions(catalog: Catalog) -> list[Any]:
    return [row for row in catalog.ask(DEFINITIONS) if "alembic_version" not in row[0]]


def test_alembic_finds_nothing_to_do_after_the_history(database: Catalog) -> None:
    assert migrate(database.url) == newest() == "catalog_0004"
    with engine(database.url).connect() as connection:
        options = {
            "version_table_schema": SCHEMA,
            "include_schemas": True,
            "include_name": lambda name, kind, _names: kind != "schema" or name == SCHEMA,
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_history_makes_what_the_tables_say_to_the_last_check_and_predicate(
    database: Catalog, catalog_server: Catalog
) -> None:
    database.ask(f"CREATE SCHEMA {SCHEMA}")
    metadata.create_all(engine(database.url))
    made = definitions(database)
    assert made == definitions(catalog_server)
    texts = " ".join(row[2] for row in made)
    assert "WHERE (deleted_at IS NULL)" in texts
    assert "key_hash ~ '^[0-9a-f]{64}$'" in texts
    assert "boolean t s (revoked_at IS NULL)" in texts


def test_a_second_time_finds_everything_done(database: Catalog) -> None:
    migrate(database.url)
    before = database.ask("SELECT oid, relname, xmin::text FROM pg_class ORDER BY oid")
    assert migrate(database.url) == newest()
    assert database.ask("SELECT oid, relname, xmin::text FROM pg_class ORDER BY oid") == before


MIGRATE = """
import os
from tenantry.catalog.connecting import engine
from tenantry.catalog.migrating import migrate
print(migrate(os.environ["URL"]))
engine(os.environ["URL"]).dispose()
"""


def together(*urls: str) -> list[tuple[int, str, str]]:
    """Migrate at the same time, each in a process of its own: exit code, standard output, last line of the error."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE],
            env=os.environ | {"URL": url, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for url in urls
    ]
    ends = []
    for each in running:
        out, err = each.communicate(timeout=60)
        ends.append((each.returncode, out.strip(), (err.strip().splitlines() or [""])[-1]))
    return ends


def test_two_at_once_make_the_tables_once(database: Catalog) -> None:
    assert together(database.url, database.url, database.url) == [(0, newest(), "")] * 3
    assert database.ask(VERSIONS) == [(newest(),)]


def test_two_catalogs_at_once_share_the_writers_role_of_their_server(account: Account) -> None:
    project = account.project("fresh", branch={"role_name": "keeper"})
    server = Catalog(project.uri)
    try:
        with server.database() as own, server.connect() as other, ThreadPoolExecutor() as pool:
            with other.transaction():
                other.execute(f"CREATE ROLE {WRITER} NOLOGIN".encode())
                migrated = pool.submit(migrate, own.url)
                await_waiting(server, migrated)
            assert migrated.result(timeout=30) == newest()
    finally:
        project.delete()


def await_waiting(server: Catalog, step: Future[str]) -> None:
    """Wait until the step waits for another session."""
    deadline = time.monotonic() + 20
    while not server.ask("SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert not step.done(), step.exception()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_another_run_that_makes_the_tables_is_waited_for_and_then_told_of(
    database: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "LOCK_SECONDS", 1)
    with database.connect() as other, other.transaction():
        other.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        with pytest.raises(BusyError, match="making them for the first time"):
            migrate(database.url)
    assert migrate(database.url) == newest()


def test_a_table_of_revisions_that_another_run_makes_meanwhile_is_seen(database: Catalog) -> None:
    database.ask(f"CREATE SCHEMA {SCHEMA}")
    with database.connect() as other, ThreadPoolExecutor() as pool:
        with other.transaction():
            other.execute(
                "CREATE TABLE tenantry.alembic_version "
                "(version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)"
            )
            migrated = pool.submit(migrate, database.url)
            await_waiting(database, migrated)
        assert migrated.result(timeout=30) == newest()


def test_another_run_that_migrates_is_named(
    database: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "LOCK_SECONDS", 1)
    migrate(database.url)
    database.close()
    database.ask("DELETE FROM tenantry.alembic_version")
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE tenantry.alembic_version IN SHARE ROW EXCLUSIVE MODE")
        with pytest.raises(BusyError) as raised:
            migrate(database.url)
        process = other.info.backend_pid
    said = str(raised.value)
    assert said.startswith("catalog: tables: another run is bringing them to a revision; keeper ")
    assert (
        f"(process {process}) holds tenantry.alembic_version (ShareRowExclusiveLock) since" in said
    )
    database.ask(f"INSERT INTO tenantry.alembic_version VALUES ('{newest()}')")
    assert migrate(database.url) == newest()


def test_no_lock_that_another_role_can_take_is_in_the_way(
    database: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "LOCK_SECONDS", 1)
    with database.user(WRITER) as service, service.connect() as other:
        # "tenantry" in ASCII: the key of the advisory lock that was once taken.
        other.execute("SELECT pg_advisory_lock(x'74656e616e747279'::bigint)")
        assert migrate(database.url) == newest()
        for mode in ("ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "ACCESS EXCLUSIVE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), other.transaction():
                other.execute(f"LOCK TABLE tenantry.alembic_version IN {mode} MODE".encode())
        others = ", ".join(f"{SCHEMA}.{table.name}" for table in metadata.sorted_tables)
        database.ask(f"DROP TABLE {others}")
        database.ask("DELETE FROM tenantry.alembic_version")
        with other.transaction():
            other.execute("SELECT * FROM tenantry.alembic_version")
            assert migrate(database.url) == newest()


def test_a_catalog_ahead_is_left_alone(database: Catalog) -> None:
    migrate(database.url)
    database.ask("ALTER TABLE tenantry.app_metadata ADD COLUMN plan text")
    database.ask("UPDATE tenantry.alembic_version SET version_num = 'catalog_0999'")
    assert migrate(database.url) == "catalog_0999"
    assert database.ask(VERSIONS) == [("catalog_0999",)]
    assert database.ask("SELECT plan FROM tenantry.app_metadata") == []
    # Ahead is good enough: a refresh shows no difference.
    assert revision_of(database.url) == newest()


def test_a_history_that_fails_half_way_leaves_nothing(database: Catalog) -> None:
    database.ask(f"CREATE SCHEMA {SCHEMA}")
    # The fourth of its tables is in the way.
    database.ask("CREATE TABLE tenantry.api_keys (theirs int)")
    with pytest.raises(RejectedError) as raised:
        migrate(database.url)
    assert str(raised.value) == (
        'catalog: tables: relation "api_keys" already exists: '
        "the catalog refuses it: report this with the text above"
    )
    assert database.ask(RELATIONS) == [("api_keys", "r")]
    assert revision_of(database.url) is None
    database.ask("DROP TABLE tenantry.api_keys")
    assert migrate(database.url) == newest()


def test_there_may_be_no_catalog(database: Catalog) -> None:
    assert revision_of(database.url) is None
    with pytest.raises(MissingError, match="this database is no catalog"), database.rows() as rows:
        rows.execute(sa.text("SELECT 1 FROM tenantry.app_metadata"))


def test_a_database_that_is_not_there_is_missing_and_not_made(database: Catalog) -> None:
    elsewhere = Catalog(f"{database.url.partition('?')[0]}x?sslmode=require")
    with pytest.raises(MissingError, match="does not exist"):
        migrate(elsewhere.url)


def test_a_table_that_is_gone_shows_and_is_not_made_again_in_silence(database: Catalog) -> None:
    migrate(database.url)
    database.ask("DROP TABLE tenantry.api_keys")
    assert revision_of(database.url) == f"{newest()} without api_keys"
    with pytest.raises(ConflictError, match="api_keys") as raised:
        migrate(database.url)
    assert len(str(raised.value).splitlines()) == 1
    with pytest.raises(MissingError, match="restore them from a backup"), database.rows() as rows:
        rows.execute(sa.text("SELECT 1 FROM tenantry.api_keys"))


def test_a_user_that_may_not_make_tables_is_told(database: Catalog) -> None:
    with database.user() as nobody:
        with pytest.raises(DeniedError) as raised:
            migrate(nobody.url)
        assert str(raised.value) == (
            f"catalog: tables: they are at no revision, this version needs {newest()}, and the URL's user may not make "
            "tables: run tenantry up once with the URL of the catalog's owner"
        )
        assert database.ask(RELATIONS) == []
        migrate(database.url)
        with pytest.raises(DeniedError, match="permission denied for schema tenantry"):
            migrate(nobody.url)


def test_an_owner_that_makes_no_roles_needs_to_be_a_member_of_the_writers(
    database: Catalog,
) -> None:
    assert database.ask("SELECT 1 FROM pg_roles WHERE rolname = %s", WRITER) == [(1,)]
    makes = f"CREATE ON DATABASE {urlsplit(database.url).path[1:]}"
    with database.user(makes) as stranger, pytest.raises(DeniedError, match="permission denied"):
        migrate(stranger.url)
    assert database.ask(RELATIONS) == []
    with database.user(makes, WRITER) as owner:
        assert migrate(owner.url) == newest()
        with owner.rows() as rows:
            rows.execute(sa.text("SELECT 1 FROM tenantry.api_keys"))
        # The service's role it may not take on: the service needs more, and says so.
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.ask("SET ROLE tenantry_service")
        owner.ask("DROP OWNED BY CURRENT_USER")


def test_a_wrong_password_is_told_without_it(database: Catalog) -> None:
    with database.user() as user:
        wrong = Catalog(user.url.replace(":u", ":wrong-", 1))
        with pytest.raises(DeniedError, match="password authentication failed") as raised:
            migrate(wrong.url)
        assert "wrong-" not in str(raised.value)


def test_a_member_of_the_writers_suffices_once_the_tables_are_there(database: Catalog) -> None:
    migrate(database.url)
    with database.user(WRITER) as member:
        assert migrate(member.url) == newest()
        assert revision_of(member.url) == newest()
        with member.rows() as connection:
            assert connection.execute(sa.text("SELECT 1 FROM tenantry.app_metadata")).all() == []
        database.ask("DELETE FROM tenantry.alembic_version")
        with pytest.raises(DeniedError, match="may not make tables"):
            migrate(member.url)
