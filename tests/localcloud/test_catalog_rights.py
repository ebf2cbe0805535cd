"""Who may do what in the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from tenantry.catalog.connecting import engine
from tenantry.catalog.service_tables import SEEN, SERVICE, TEMPORARY
from tenantry.catalog.tables import WRITER, metadata
from tenantry.provisioning.errors import DeniedError, MissingError
from tests.localcloud.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table

TABLES = [
    "app_metadata",
    "project_resources",
    "project_services",
    "api_keys",
    "user_databases",
]
FORBIDDEN = [
    *(f"DELETE FROM tenantry.{table}" for table in TABLES),
    *(f"TRUNCATE tenantry.{table}" for table in TABLES),
    *(f"ALTER TABLE tenantry.{table} ADD COLUMN more int" for table in TABLES),
    *(f"DROP TABLE tenantry.{table}" for table in TABLES),
    *(f"CREATE INDEX ON tenantry.{table} (id)" for table in TABLES),
    "SELECT * FROM tenantry.operations",
    "SELECT * FROM tenantry.idempotency_keys",
    "UPDATE tenantry.app_specs SET plan = 'pro'",
    "UPDATE tenantry.freezes SET until = now()",
    "DELETE FROM tenantry.cloud_budgets",
    "CREATE TABLE tenantry.more (id int)",
    "CREATE TABLE public.more (id int)",
    "CREATE SCHEMA more",
    "CREATE ROLE more",
    "ALTER SCHEMA tenantry RENAME TO more",
    "SELECT * FROM private.secrets",
    "INSERT INTO tenantry.alembic_version VALUES ('catalog_0999')",
    "UPDATE tenantry.alembic_version SET version_num = 'catalog_0999'",
    "DELETE FROM tenantry.alembic_version",
]


@pytest.fixture
def member(catalog: Catalog) -> Iterator[Catalog]:
    """The catalog, for a login whose only right is to be a member of the writers."""
    with catalog.user(WRITER) as user:
        yield user


@pytest.fixture
def _another_schema(catalog: Catalog) -> Iterator[None]:
    catalog.ask("CREATE SCHEMA private CREATE TABLE secrets (secret text)")
    yield
    catalog.ask("DROP SCHEMA private CASCADE")


def test_the_writers_role_cannot_log_in_and_can_do_nothing_beside_the_catalog(
    catalog: Catalog,
) -> None:
    attributes = (
        "SELECT rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication "
        "FROM pg_roles WHERE rolname = %s"
    )
    assert catalog.ask(attributes, WRITER) == [(False,)]
    owned = "SELECT count(*) FROM pg_class WHERE relowner = %s::regrole"
    assert catalog.ask(owned, WRITER) == [(0,)]


@pytest.mark.parametrize("table", TABLES)
def test_a_member_reads_writes_and_changes_rows(
    catalog: Catalog, member: Catalog, table: str
) -> None:
    app = catalog.app()
    rows = {
        "app_metadata": "namespace, app_id, tenant, name, environment, region, neon_project_id, host, status) "
        "SELECT 'n', 'a/b', 'a', 'b', 'staging', 'r', 'p', 'h', 'active'",
        "project_resources": "app, kind, name, external_id) SELECT %s, 'role', 'r', 'r'",
        "project_services": "app, type, status) SELECT %s, 'auth', 'active'",
        "api_keys": "app, key_hash, prefix, name, generation, scopes, created_by) "
        "SELECT %s, repeat('0', 64), 'p', 'n', 1, '{read}', 'tests'",
        "user_databases": "app, user_id, name, status) SELECT %s, 'u', 'n', 'pending'",
    }
    values = [] if table == "app_metadata" else [app]
    member.ask(f"INSERT INTO tenantry.{table} ({rows[table]}", *values)
    member.ask(f"UPDATE tenantry.{table} SET created_at = created_at")
    assert member.ask(f"SELECT count(*) > 0 FROM tenantry.{table}") == [(True,)]


@pytest.mark.usefixtures("_another_schema")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_member_can_do_nothing_else(member: Catalog, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        member.ask(statement)


@pytest.mark.usefixtures("_another_schema")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_rows_are_written_with_no_more_than_that_also_by_the_owner(
    catalog: Catalog, statement: str
) -> None:
    with (
        pytest.raises(DeniedError, match="acme/web: services: the catalog: "),
        catalog.rows() as rows,
    ):
        rows.execute(sa.text(statement))


def test_a_member_passes_no_right_on(catalog: Catalog, member: Catalog) -> None:
    rights = "SELECT relacl::text FROM pg_class WHERE oid = 'tenantry.api_keys'::regclass"
    before = catalog.ask(rights)
    member.ask("GRANT SELECT ON tenantry.api_keys TO PUBLIC")
    assert catalog.ask(rights) == before


def test_the_writers_role_ends_with_the_transaction(catalog: Catalog) -> None:
    who = sa.text("SELECT current_user::text, session_user::text")
    with catalog.rows() as connection:
        assert connection.execute(who).one() == (WRITER, "keeper")
    with engine(catalog.url).connect() as connection:
        assert connection.execute(who).one() == ("keeper", "keeper")


def test_a_login_that_is_no_member_writes_nothing(catalog: Catalog) -> None:
    with catalog.user() as stranger:
        refused = f'permission denied to set role "{WRITER}"'
        with pytest.raises(DeniedError, match=refused), stranger.rows() as rows:
            rows.execute(sa.text("SELECT 1"))


def test_a_database_without_the_tables_is_no_catalog_whatever_the_server_has(
    database: Catalog,
) -> None:
    assert database.ask("SELECT 1 FROM pg_roles WHERE rolname = %s", WRITER) == [(1,)]
    with pytest.raises(MissingError, match="this database is no catalog"), database.rows() as rows:
        rows.execute(sa.text("SELECT 1"))


def test_a_login_of_a_service_that_verifies_keys_can_do_that_alone(catalog: Catalog) -> None:
    with catalog.user(
        "USAGE ON SCHEMA tenantry",
        "SELECT ON tenantry.api_keys, tenantry.app_metadata",
        "UPDATE (last_used) ON tenantry.api_keys",
    ) as service:
        service.ask("UPDATE tenantry.api_keys SET last_used = now()")
        for statement in (
            "UPDATE tenantry.api_keys SET revoked_at = NULL",
            "UPDATE tenantry.api_keys SET expires_at = NULL",
            "INSERT INTO tenantry.api_keys (name) VALUES ('mine')",
            "SELECT * FROM tenantry.project_services",
            *FORBIDDEN[:25],
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.ask(statement)


def test_a_member_sees_what_was_asked_for_and_shares_the_budgets(member: Catalog) -> None:
    for table in SEEN:
        member.ask(f"SELECT * FROM {table.fullname}")
    member.ask(
        "INSERT INTO tenantry.cloud_budgets (digest, per_minute, tokens) VALUES ('d', 700, 700)"
    )
    assert member.ask("UPDATE tenantry.cloud_budgets SET tokens = 1 RETURNING tokens") == [(1.0,)]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_service_deletes_only_what_has_a_time_to_live(catalog: Catalog, table: Table) -> None:
    with catalog.user(SERVICE) as service:
        service.ask(f"SELECT * FROM {table.fullname}")
        if table in TEMPORARY:
            service.ask(f"DELETE FROM {table.fullname}")
            return
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.ask(f"DELETE FROM {table.fullname}")
