"""Schemas on the real engine: applied, quiet, moved on, stopped half-way, changed by hand."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tenantry.provisioning.errors import ProvisioningError
from tenantry.schemas.connecting import TenantDatabase, connect
from tenantry.schemas.history import history_of
from tenantry.schemas.migrating import Schema, Wanted, drift, migrate, read_schema
from tests.engine.workspace import Finished, Workspace
from tests.localcloud_fixture import LocalCloud

MIGRATION = "pulumi-python:dynamic/tenantry:Migration"
APP = "acme/shop"
OWNER_DATABASE = "tenant_acme__shop"

HEAD = """\
version: 1
namespace: schema
defaults: {environment: development, region: aws-us-east-2, deletion: delete}
tenants:
  acme:
    name: Acme Inc.
    apps:
"""


def registry(shop: str, *, more: str = "") -> str:
    return f"{HEAD}      shop: {{database: {{schema: {shop}}}}}\n{more}"


def revision(folder: Path, id_: str, after: str | None, up: str, down: str = "SELECT 1") -> None:
    (folder / f"{id_}.py").write_text(
        f"from alembic import op\nrevision = {id_!r}\ndown_revision = {after!r}\n"
        f"def upgrade():\n    op.execute({up!r})\ndef downgrade():\n    op.execute({down!r})\n"
    )


@pytest.fixture(scope="module")
def converged(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One app with a history of its own and one with a template; each test leaves it converged."""
    workspace = Workspace(tmp_path_factory.mktemp("schema") / "workspace", cloud.env())
    versions(workspace).mkdir(parents=True)
    first(workspace)
    workspace.apply(
        registry(
            "./history", more="      hub: {database: {schema: neonhub, branches: {copy: {}}}}\n"
        )
    )
    return workspace


def versions(workspace: Workspace) -> Path:
    return workspace.folder / "history" / "versions"


def first(workspace: Workspace) -> None:
    revision(
        versions(workspace),
        "one",
        None,
        "CREATE TABLE items (id int PRIMARY KEY)",
        "DROP TABLE items",
    )


def up(workspace: Workspace) -> Finished:
    return workspace.pulumi("up", "--yes", "--skip-preview")


def heads(workspace: Workspace) -> list[str]:
    (found,) = [
        r
        for r in workspace.resources()
        if r["type"] == MIGRATION and r["urn"].endswith(f"{APP}/schema")
    ]
    answer: list[str] = found["outputs"]["heads"]
    return answer


def live(workspace: Workspace, query: str) -> object:
    with psycopg.connect(workspace.url(APP)) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def test_a_folder_with_the_name_of_a_template_is_the_same_history(converged: Workspace) -> None:
    before = heads(converged)
    named = HEAD.replace(
        "tenants:", "templates: {stock: {path: ./history, extensions: [hstore]}}\ntenants:"
    )
    hub = "      hub: {database: {schema: neonhub, branches: {copy: {}}}}\n"
    converged.apply(f"{named}      shop: {{database: {{schema: stock}}}}\n{hub}")
    assert heads(converged) == before
    assert live(converged, "SELECT count(*) FROM pg_extension WHERE extname = 'hstore'") == 1
    converged.assert_converged()
    converged.apply(registry("./history", more=hub))


def test_a_template_is_at_head_and_its_tables_are_the_logins_to_use(
    converged: Workspace,
) -> None:
    with psycopg.connect(converged.url("acme/hub")) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'app' AND tablename <> 'alembic_version' ORDER BY 1"
        ).fetchall()
        assert [name for (name,) in tables] == [
            "accounts",
            "agent_jobs",
            "audit_logs",
            "content_drafts",
            "metric_events",
            "sessions",
            "settings",
            "users",
            "verification_tokens",
        ]
        for (name,) in tables:
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                allowed = connection.execute(
                    "SELECT has_table_privilege(%s, %s)", [f"app.{name}", right]
                ).fetchone()
                assert allowed == (True,), f"{right} on {name}"
        connection.execute("INSERT INTO users (email) VALUES ('a@b.example')")
        connection.execute(
            "INSERT INTO content_drafts (title, author_id) SELECT 'Winter sale', id FROM users"
        )
        found = connection.execute("SELECT title FROM content_drafts WHERE title % 'winter sales'")
        assert found.fetchall() == [("Winter sale",)]
        connection.execute("INSERT INTO audit_logs (actor, action, subject) VALUES ('a', 'b', 'c')")
        assert connection.execute("SELECT revision FROM schema_migrations").fetchall() == [
            ("neonhub_0001",)
        ]
        connection.commit()
        for statement in (
            "DELETE FROM alembic_version",
            "INSERT INTO schema_migrations VALUES ('x')",
            "UPDATE alembic_version SET version_num = 'x'",
        ):
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)
            ):
                connection.execute(statement)
            connection.rollback()


def test_a_branch_has_the_tables_too(converged: Workspace) -> None:
    outputs = converged.outputs()["apps"]["acme/hub"]
    main, copy = outputs["host"], outputs["branches"]["copy"]["host"]
    with psycopg.connect(converged.url("acme/hub").replace(main, copy)) as connection:
        assert connection.execute("SELECT count(*) FROM settings").fetchone() == (0,)


def test_a_run_without_a_change_is_quiet_and_imports_no_alembic(
    converged: Workspace, tmp_path: Path
) -> None:
    for name in ("alembic", "sqlalchemy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'raise ImportError("{name} was imported")')
    before = dict(converged.environment)
    # By hand: the variable reaches the process that serves the providers then, and this one has imported all already.
    converged.served = False
    converged.environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(tmp_path), before.get("PYTHONPATH")])
    )
    try:
        assert "unchanged" in converged.must("up", "--yes", "--skip-preview").said
        # The catalog's rows are read through SQLAlchemy.
        shutil.rmtree(tmp_path / "sqlalchemy")
        converged.must("refresh", "--preview-only", "--expect-no-changes")
        # The other way round: where there is something to run, this does stop the run.
        revision(versions(converged), "two", "one", "ALTER TABLE items ADD note text")
        assert "alembic was imported" in up(converged).said
        (versions(converged) / "two.py").unlink()
    finally:
        converged.served = True
        converged.environment.clear()
        converged.environment.update(before)


def test_a_new_revision_is_named_by_the_preview_and_applied(converged: Workspace) -> None:
    revision(
        versions(converged),
        "two",
        "one",
        "ALTER TABLE items ADD note text",
        "ALTER TABLE items DROP note",
    )
    shown = converged.must("preview", "--diff").said
    assert '"two"' in shown
    assert "acme/hub/schema" not in shown
    converged.must("up", "--yes", "--skip-preview")
    assert heads(converged) == ["two"]


def test_a_pinned_revision_stays_and_a_way_down_must_be_allowed(converged: Workspace) -> None:
    converged.registry.write_text(registry("{path: ./history, revision: one}"))
    refused = converged.pulumi("preview")
    assert refused.code != 0
    assert "acme/shop: revision one would take back two" in refused.said
    assert "allow_downgrade: true" in refused.said
    converged.apply(registry("{path: ./history, revision: one, allow_downgrade: true}"))
    assert heads(converged) == ["one"]
    converged.must("preview", "--expect-no-changes")
    converged.apply(registry("./history"))
    assert heads(converged) == ["two"]


def test_a_revision_that_fails_leaves_the_last_good_one_and_is_named(
    converged: Workspace,
) -> None:
    revision(versions(converged), "three", "two", "CREATE TABLE more (id int)")
    bad = "ALTER TABLE nowhere ADD x int"
    revision(versions(converged), "four", "three", bad)
    done = up(converged)
    assert done.code != 0
    assert "acme/shop: schema: revision four failed" in done.said
    assert f"statement: {bad}" in done.said
    assert live(converged, "SELECT version_num FROM app.alembic_version") == "three"
    revision(versions(converged), "four", "three", "ALTER TABLE more ADD x int")
    converged.must("up", "--yes", "--skip-preview")
    assert heads(converged) == ["four"]


def test_a_table_changed_by_hand_is_seen_explained_and_quiet_once_put_back(
    converged: Workspace, database: TenantDatabase
) -> None:
    with connect(database) as connection:
        connection.execute("DROP TABLE app.more")
        seen = converged.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff")
        assert seen.code != 0
        assert "table more is gone" in seen.said
        converged.must("refresh", "--yes")
        done = up(converged)
        assert done.code != 0
        assert "schema app was changed outside of its migrations: table more is gone" in done.said
        connection.execute("CREATE TABLE app.more (id int, x int)")
    converged.must("up", "--yes", "--skip-preview")
    converged.assert_converged()


def test_the_owners_password_is_encrypted_in_the_state(converged: Workspace) -> None:
    found = [r for r in converged.resources() if r["type"] == MIGRATION]
    assert len(found) == 1
    for side in ("inputs", "outputs"):
        assert "ciphertext" in found[0][side]["password"], side


# What the resource does, on schemas of their own in the same database, without the engine.


@pytest.fixture(scope="module")
def database(converged: Workspace, cloud: LocalCloud) -> TenantDatabase:
    project = converged.outputs()["apps"][APP]
    with cloud.client() as client:
        answer = client.get(
            f"/projects/{project['project']}/connection_uri",
            params={"database_name": OWNER_DATABASE, "role_name": f"{OWNER_DATABASE}__owner"},
        )
    uri = urlsplit(answer.raise_for_status().json()["uri"])
    return TenantDatabase(
        app=APP,
        host=uri.hostname or "",
        port=5432,
        name=OWNER_DATABASE,
        owner=f"{OWNER_DATABASE}__owner",
        password=uri.password or "",
        schema="app",
        group=f"{OWNER_DATABASE}__rw",
    )


@pytest.fixture
def scratch(database: TenantDatabase) -> Iterator[TenantDatabase]:
    with connect(database) as connection:
        connection.execute("CREATE SCHEMA scratch")
        yield replace(database, schema="scratch")
        connection.execute("DROP SCHEMA scratch CASCADE")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "history" / "versions").mkdir(parents=True)
    revision(
        tmp_path / "history" / "versions",
        "one",
        None,
        "CREATE TABLE items (id int PRIMARY KEY)",
        "DROP TABLE items",
    )
    return tmp_path / "history"


def wanted(folder: Path, target: str = "head", *, allow_downgrade: bool = False) -> Wanted:
    history, _ = history_of(None, str(folder))
    return Wanted(None, str(folder), history.up_to(history.resolve(target)), allow_downgrade)


def test_each_revision_is_a_transaction_in_an_environment_of_its_own_too(
    scratch: TenantDatabase, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    (folder / "env.py").write_text(
        "from alembic import context\nfrom sqlalchemy import create_engine\n"
        "from sqlalchemy.pool import NullPool\n"
        "print('from env.py')\n"
        "url = context.get_x_argument(as_dictionary=True)['db_url']\n"
        "with create_engine(url, poolclass=NullPool).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    revision(folder / "versions", "two", "one", "SELECT nothing_of_the_kind")
    with pytest.raises(
        ProvisioningError, match=r"revision two failed: .*, and one was applied before it"
    ):
        migrate(scratch, wanted(folder))
    live = read_schema(scratch, "alembic_version")
    assert live is not None
    assert live.heads == ("one",)
    assert {name for name in live.objects if not name.startswith("rights on ")} == {
        "table alembic_version",
        "table items",
    }
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "from env.py" in printed.err


def test_an_environment_that_connects_elsewhere_is_stopped_before_it_changes_anything(
    scratch: TenantDatabase, folder: Path, database: TenantDatabase
) -> None:
    (folder / "env.py").write_text(
        "from alembic import context\nfrom sqlalchemy import create_engine, make_url\n"
        "from sqlalchemy.pool import NullPool\n"
        "url = make_url(context.get_x_argument(as_dictionary=True)['db_url']).set(database='neondb')\n"
        "with create_engine(url, poolclass=NullPool).connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n        context.run_migrations()\n"
    )
    with pytest.raises(ProvisioningError, match="connected to another database") as stopped:
        migrate(scratch, wanted(folder))
    assert database.password not in str(stopped.value)


def test_a_way_down_is_taken_only_when_allowed(scratch: TenantDatabase, folder: Path) -> None:
    revision(folder / "versions", "two", "one", "CREATE TABLE more (id int)", "DROP TABLE more")
    done = migrate(scratch, wanted(folder))
    with pytest.raises(ProvisioningError, match="one would take back two"):
        migrate(scratch, wanted(folder, "one"), done)
    down = migrate(scratch, wanted(folder, "one", allow_downgrade=True), done)
    assert down.heads == ("one",)
    assert "table more" not in down.objects


def test_rights_changed_by_hand_are_told_and_put_back_without_touching_anything_else(
    scratch: TenantDatabase, folder: Path
) -> None:
    done = migrate(scratch, wanted(folder))
    group = scratch.group
    with connect(scratch) as connection:
        connection.execute(f"GRANT SELECT, INSERT ON items TO {group}")
        done = replace(done, objects=read(scratch, done.version_table).objects)
        connection.execute(f"REVOKE INSERT ON items FROM {group}")
        connection.execute(f"GRANT TRUNCATE ON items TO {group}")
    live = read(scratch, done.version_table)
    assert drift(done, live) == [
        "rights on TABLE scratch.items are SELECT, TRUNCATE, and were INSERT, SELECT"
    ]
    assert migrate(scratch, wanted(folder), done) == done
    with connect(scratch) as connection:
        connection.execute(f"REVOKE ALL ON items FROM {group}")
        connection.execute("CREATE TABLE stray (id int)")
    with pytest.raises(ProvisioningError, match="migrations: table stray is new; this is left"):
        migrate(scratch, wanted(folder), done)
    assert drift(done, read(scratch, done.version_table)) == ["table stray is new"]


def read(database: TenantDatabase, version_table: str) -> Schema:
    found = read_schema(database, version_table)
    assert found is not None
    return found


def test_a_record_of_revisions_that_is_gone_with_its_tables_is_migrated_again(
    scratch: TenantDatabase, folder: Path
) -> None:
    done = migrate(scratch, wanted(folder))
    with connect(scratch) as connection:
        connection.execute("DROP TABLE items, alembic_version")
    live = read_schema(scratch, done.version_table)
    assert live is not None
    assert drift(done, live) == ["the revision is no revision, and was one"]
    assert migrate(scratch, wanted(folder), done) == done


@pytest.mark.parametrize(
    ("by_hand", "said"),
    [
        ("ALTER TABLE items ADD hidden text", "table items is changed"),
        ("CREATE INDEX items_more ON items (id)", "table items is changed"),
        ("ALTER TABLE items DROP CONSTRAINT items_pkey", "table items is changed"),
        ("CREATE VIEW seen AS SELECT 1 AS one", "view seen is new"),
        ("DROP TABLE items", "table items is gone"),
    ],
)
def test_what_was_changed_by_hand_is_named_and_left_alone(
    scratch: TenantDatabase, folder: Path, by_hand: str, said: str
) -> None:
    done = migrate(scratch, wanted(folder))
    with connect(scratch) as connection:
        connection.execute(by_hand)
    live = read_schema(scratch, done.version_table)
    assert live is not None
    assert drift(done, live) == [said]
    with pytest.raises(ProvisioningError, match=f"changed outside of its migrations: {said}"):
        migrate(scratch, wanted(folder), done)


@pytest.mark.parametrize("template", ["base", "neonhub"])
def test_a_template_goes_up_and_all_the_way_down(scratch: TenantDatabase, template: str) -> None:
    history, _ = history_of(template, None)
    revisions = history.up_to(history.resolve("head"))
    with connect(scratch) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public")
    up = migrate(scratch, Wanted(template, None, revisions))
    down = migrate(scratch, Wanted(template, None, revisions[:1], allow_downgrade=True), up)
    assert migrate(scratch, Wanted(template, None, revisions), down) == up


def test_a_schema_that_is_gone_is_gone(database: TenantDatabase) -> None:
    assert read_schema(replace(database, schema="nowhere"), "alembic_version") is None
    assert read_schema(replace(database, name="nowhere"), "alembic_version") is None
