"""The example, converged: each app's credentials are tried on every other app, each role's rights on everything."""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import permutations, product
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tenantry.aura.errors import AuraError
from tenantry.aura.query import Connection, QueryClient
from tenantry.catalog.verification import verify
from tenantry.registry import App, load
from tests.engine.isolation import Actors, table, tried
from tests.engine.workspace import REPOSITORY, Workspace
from tests.localcloud_fixture import LocalCloud, local_cloud

SECONDS = 15


@dataclass(frozen=True)
class Credentials:
    """A role and its password."""

    user: str
    password: str


@dataclass(frozen=True)
class Place:
    """An app's database, and every host by which it or a copy of it is reached."""

    hosts: tuple[str, ...]
    database: str


class Fleet:
    """The apps of the example registry, each with both logins."""

    def __init__(self, cloud: LocalCloud, workspace: Workspace) -> None:
        self.cloud = cloud
        self.apps: dict[str, App] = {app.id: app for app in load(workspace.registry).apps}
        self.outputs = workspace.outputs()
        exported = workspace.must("stack", "export", "--show-secrets")
        self._state: list[dict[str, Any]] = json.loads(exported.out)["deployment"]["resources"]

    def login(self, app: str, generation: int) -> Credentials:
        name = f"::{app}/password-{generation}"
        (found,) = [each for each in self._state if each["urn"].endswith(name)]
        password = json.loads(found["outputs"]["result"]["plaintext"])
        return Credentials(self.apps[app].names.login_role(generation), password)

    def owner(self, app: str) -> Credentials:
        (found,) = [
            each for each in self._state if each["urn"].endswith(f"index/project:Project::{app}")
        ]
        password = json.loads(found["outputs"]["databasePassword"]["plaintext"])
        return Credentials(self.apps[app].names.owner_role, password)

    def credentials(self, app: str) -> dict[str, Credentials]:
        return {
            "login a": self.login(app, 1),
            "login b": self.login(app, 2),
            "owner": self.owner(app),
        }

    def place(self, app: str) -> Place:
        facts = self.outputs["apps"][app]
        pooled = urlsplit(self.outputs["urls"][app]["pooled"]).hostname
        branches = [branch["host"] for branch in facts["branches"].values()]
        return Place((facts["host"], str(pooled), *branches), facts["database"])


def connect(
    host: str, database: str, who: Credentials, then: str = "SELECT 1"
) -> psycopg.Connection:
    connection = psycopg.connect(
        host=host,
        dbname=database,
        user=who.user,
        password=who.password,
        sslmode="require",
        connect_timeout=SECONDS,
        autocommit=True,
    )
    connection.execute(then)
    return connection


def refusal(host: str, database: str, who: Credentials) -> str:
    """Try to connect, and tell why not; nothing where it worked."""
    try:
        connect(host, database, who).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("isolation")
    with local_cloud(folder / "cloud", "--aura-create-seconds", "0.2") as cloud:
        workspace = Workspace(folder / "workspace", cloud.env())
        shutil.copytree(REPOSITORY / "migrations", workspace.folder / "migrations")
        text = (REPOSITORY / "tenants.yaml").read_text()
        # From the second generation on an app has two logins.
        for before, after in (
            ("\n  database:\n", "\n  database:\n    credentials: {generation: 2}\n"),
            ("credentials: {generation: 1}", "credentials: {generation: 2}"),
        ):
            assert text.count(before) == 1
            text = text.replace(before, after)
        workspace.apply(text)
        yield Fleet(cloud, workspace)


def test_the_example_has_what_is_to_be_kept_apart(fleet: Fleet) -> None:
    assert sorted(fleet.apps) == ["acme/web", "acme/web-dev", "globex/lab", "globex/search"]
    assert len(fleet.place("acme/web").hosts) == 3
    assert sum(len(app.graphs) for app in fleet.apps.values()) == 4


def test_every_credential_works_at_home(fleet: Fleet) -> None:
    for app in fleet.apps:
        place = fleet.place(app)
        for host, who in product(place.hosts, fleet.credentials(app).values()):
            assert refusal(host, place.database, who) == ""


def test_no_credential_of_an_app_opens_another_ones_database(fleet: Fleet) -> None:
    """By its own name and by the other's; direct, pooled and on a branch; also on the maintenance databases."""
    attempts = []
    for intruder, victim in permutations(fleet.apps, 2):
        place = fleet.place(victim)
        named = fleet.credentials(victim)
        for kind, who in fleet.credentials(intruder).items():
            for host in place.hosts:
                for database in (place.database, "postgres"):
                    attempts.append((host, database, who))
                    attempts.append((host, database, replace(who, user=named[kind].user)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: refusal(*each), attempts))
    assert len(answers) > 300
    assert [answer for answer in answers if "password authentication failed" not in answer] == []


def test_two_generations_and_the_owner_have_passwords_of_their_own(fleet: Fleet) -> None:
    for app in fleet.apps:
        place, named = fleet.place(app), fleet.credentials(app)
        for one, other in permutations(named, 2):
            crossed = Credentials(named[one].user, named[other].password)
            assert "password authentication failed" in refusal(
                place.hosts[0], place.database, crossed
            )


def test_an_api_key_speaks_for_its_own_app_and_scopes_only(fleet: Fleet) -> None:
    declared = {
        (app.id, key.name): key.scopes for app in fleet.apps.values() for key in app.api_keys
    }
    with psycopg.connect(fleet.cloud.catalog_url, autocommit=True) as connection:
        judge = partial(verify, connection, now=datetime.now(UTC))
        keys = {
            (app, name, int(generation)): key
            for app, names in fleet.outputs["apiKeys"].items()
            for name, generations in names.items()
            for generation, key in generations.items()
        }
        assert len(keys) == 4
        for (app, name, generation), key in keys.items():
            verdict = judge(key)
            assert (verdict.state, verdict.app, verdict.name) == ("valid", app, name)
            assert (verdict.generation, verdict.scopes) == (generation, declared[app, name])
        # One key's secret under another one's name is nobody's.
        for one, other in permutations(keys.values(), 2):
            forged = f"{one.rpartition('_')[0]}_{other.rpartition('_')[2]}"
            # Two generations that were made in the same second differ in their secrets alone.
            assert forged == other or judge(forged).state == "unknown"


def test_the_credentials_of_a_graph_open_no_other_graph(fleet: Fleet) -> None:
    graphs = {
        name: Connection(each["uri"], each["user"], each["password"], each["database"])
        for name, each in fleet.outputs["graphs"].items()
    }
    assert len({graph.password for graph in graphs.values()}) == 4

    def opens(connection: Connection) -> bool:
        try:
            with QueryClient(connection) as client:
                client.run("RETURN 1", {}, access="Read")
        except AuraError:
            return False
        return True

    assert all(opens(graph) for graph in graphs.values())
    # All local instances share an address. Where two have the same user and database, the password decides.
    tried_pairs = 0
    for one, other in permutations(graphs.values(), 2):
        if one.username != other.username:
            assert not opens(replace(one, password=other.password))
            assert not opens(replace(one, username=other.username))
            assert not opens(replace(one, database=other.database))
            tried_pairs += 1
    assert tried_pairs == 6


# ---- who may do what in an app's database

ROLES = ("owner", "group", "a", "b", "stranger")
"""The owner; the group's rights alone; both logins; a role of the project in no group that is let into the database."""

APP_RIGHTS = """
tables of the template
yes yes yes yes no  SELECT * FROM app.settings
yes yes yes yes no  INSERT INTO app.settings (key, value) VALUES ('x', '{}')
yes yes yes yes no  UPDATE app.settings SET key = key
yes yes yes yes no  DELETE FROM app.settings
yes yes yes yes no  SELECT * FROM app.settings FOR UPDATE
yes no  no  no  no  TRUNCATE app.settings
yes no  no  no  no  ALTER TABLE app.settings ADD COLUMN more text
yes no  no  no  no  ALTER TABLE app.settings DISABLE ROW LEVEL SECURITY
yes no  no  no  no  ALTER TABLE app.settings OWNER TO CURRENT_USER
yes no  no  no  no  DROP TABLE app.settings
yes no  no  no  no  CREATE INDEX ON app.settings (key)
yes no  no  no  no  CREATE TRIGGER t BEFORE INSERT ON app.settings FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
yes no  no  no  no  CREATE POLICY p ON app.settings
yes no  no  no  no  CREATE RULE r AS ON INSERT TO app.settings DO ALSO NOTHING
yes no  no  no  no  GRANT SELECT ON app.settings TO PUBLIC
yes no  no  no  no  REVOKE SELECT ON app.settings FROM {app}__rw
yes no  no  no  no  COMMENT ON TABLE app.settings IS 'x'
yes no  no  no  no  ANALYZE app.settings
yes no  no  no  no  REINDEX TABLE app.settings
yes yes yes yes no  INSERT INTO app.audit_logs (actor, action, subject) VALUES ('x', 'x', 'x')
the record of revisions
yes yes yes yes no  SELECT * FROM app.alembic_version
yes yes yes yes no  SELECT * FROM app.schema_migrations
yes no  no  no  no  INSERT INTO app.alembic_version VALUES ('x')
yes no  no  no  no  UPDATE app.alembic_version SET version_num = 'x'
yes no  no  no  no  DELETE FROM app.alembic_version
yes no  no  no  no  DROP TABLE app.alembic_version CASCADE
yes no  no  no  no  LOCK TABLE app.alembic_version IN ROW SHARE MODE
the lock of migrations
yes no  no  no  no  LOCK TABLE tenantry_migrations.lock IN ACCESS SHARE MODE
yes no  no  no  no  SELECT * FROM tenantry_migrations.lock
yes no  no  no  no  GRANT USAGE ON SCHEMA tenantry_migrations TO stranger
sequences and functions
yes yes yes yes no  SELECT nextval('app.audit_logs_id_seq')
yes yes yes yes no  SELECT setval('app.audit_logs_id_seq', 9)
yes no  no  no  no  ALTER SEQUENCE app.audit_logs_id_seq RESTART
yes yes yes yes no  SELECT app.intended()
yes no  no  no  no  DROP FUNCTION app.intended()
yes no  no  no  no  ALTER FUNCTION app.intended() SECURITY DEFINER
making things
yes no  no  no  no  CREATE TABLE app.intruder (n int)
yes no  no  no  no  CREATE VIEW app.intruder AS SELECT 1
yes no  no  no  no  CREATE FUNCTION app.intruder() RETURNS int LANGUAGE sql AS 'SELECT 1'
yes no  no  no  no  CREATE TYPE app.intruder AS ENUM ('a')
yes no  no  no  no  CREATE TABLE public.intruder (n int)
yes no  no  no  no  CREATE SCHEMA intruder
yes yes yes yes no  CREATE TEMPORARY TABLE intruder (n int)
yes no  no  no  no  CREATE PUBLICATION p
no  no  no  no  no  CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION suppress_redundant_updates_trigger()
schema and database
yes no  no  no  no  ALTER SCHEMA app RENAME TO intruder
yes no  no  no  no  DROP SCHEMA app CASCADE
yes no  no  no  no  GRANT ALL ON SCHEMA app TO PUBLIC
yes no  no  no  no  GRANT CREATE ON SCHEMA public TO PUBLIC
yes no  no  no  no  ALTER DATABASE {app} CONNECTION LIMIT 1
yes no  no  no  no  ALTER DATABASE {app} SET statement_timeout = 0
yes no  no  no  no  GRANT CONNECT ON DATABASE {app} TO PUBLIC
yes no  no  no  no  REVOKE CONNECT ON DATABASE {app} FROM {app}__rw
yes no  no  no  no  ALTER DEFAULT PRIVILEGES FOR ROLE {app}__owner IN SCHEMA app GRANT ALL ON TABLES TO PUBLIC
no  no  no  no  no  !ALTER DATABASE template1 WITH IS_TEMPLATE false
no  no  no  no  no  !ALTER DATABASE postgres CONNECTION LIMIT 3
becoming another role
yes no  no  no  no  SET ROLE {app}__owner
no  yes yes yes no  SET ROLE {app}__rw
no  yes yes no  no  SET ROLE {app}__login_a
no  no  no  yes no  SET ROLE {app}__login_b
yes no  no  no  no  SET ROLE neon_superuser
yes no  no  no  no  SET ROLE pg_read_all_data
no  no  no  no  no  SET ROLE cloud_admin
yes no  no  no  no  SET SESSION AUTHORIZATION {app}__owner
yes no  no  no  no  CREATE ROLE intruder
yes no  no  no  no  GRANT {app}__rw TO stranger
no  no  no  no  no  GRANT {app}__owner TO stranger
yes no  no  no  no  GRANT {app}__login_a TO {app}__login_b
no  no  no  no  no  GRANT neon_superuser TO stranger
no  no  no  no  no  GRANT pg_read_server_files TO stranger
no  no  no  no  no  GRANT pg_execute_server_program TO stranger
yes no  no  no  no  DROP ROLE {app}__login_b
yes no  no  no  no  REASSIGN OWNED BY {app}__owner TO CURRENT_USER
passwords, attributes, limits: PostgreSQL lets every role change its own password and its own defaults, and nothing else
yes no  no  no  no  ALTER ROLE {app}__owner PASSWORD 'x'
yes no  yes no  no  ALTER ROLE {app}__login_a PASSWORD 'x'
yes no  no  yes no  ALTER ROLE {app}__login_b PASSWORD 'x'
yes yes yes yes yes ALTER ROLE CURRENT_USER SET statement_timeout = 0
yes yes yes yes yes SET statement_timeout = 0
no  no  no  no  no  ALTER ROLE CURRENT_USER CONNECTION LIMIT 100
no  no  no  no  no  ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'
no  no  no  no  no  ALTER ROLE CURRENT_USER CREATEROLE
no  no  no  no  no  ALTER ROLE CURRENT_USER CREATEDB
no  no  no  no  no  ALTER ROLE CURRENT_USER BYPASSRLS
no  no  no  no  no  ALTER ROLE CURRENT_USER SUPERUSER
no  no  no  no  no  ALTER ROLE ALL SET statement_timeout = 0
no  no  no  no  no  SET log_statement = 'all'
no  no  no  no  no  SET session_preload_libraries = 'x'
no  no  no  no  no  !ALTER SYSTEM SET log_statement = 'all'
no  no  no  no  no  SELECT pg_reload_conf()
what others keep: the owner reads the digests of passwords, since Neon gives it pg_read_all_data
yes no  no  no  no  SELECT rolpassword FROM pg_authid
yes no  no  no  no  SELECT passwd FROM pg_shadow
yes no  no  no  no  SELECT subconninfo FROM pg_subscription
yes no  no  no  no  SELECT umoptions FROM pg_user_mapping
yes no  no  no  no  SELECT * FROM pg_statistic
yes no  no  no  no  SELECT data FROM pg_largeobject
no  no  no  no  no  SELECT * FROM pg_hba_file_rules
yes no  no  no  no  SELECT pg_terminate_backend({pid})
yes no  no  no  no  SELECT pg_cancel_backend({pid})
the server's files and programs
no  no  no  no  no  SELECT pg_read_file('PG_VERSION')
no  no  no  no  no  SELECT pg_read_binary_file('PG_VERSION')
no  no  no  no  no  SELECT pg_stat_file('PG_VERSION')
no  no  no  no  no  SELECT pg_ls_dir('.')
no  no  no  no  no  COPY (SELECT 1) TO PROGRAM 'true'
no  no  no  no  no  COPY app.settings FROM PROGRAM 'true'
no  no  no  no  no  COPY (SELECT 1) TO '/nowhere/file'
no  no  no  no  no  COPY app.settings FROM '/nowhere/file'
no  no  no  no  no  SELECT lo_import('/nowhere/file')
no  no  no  no  no  SELECT lo_export(lo_create(0), '/nowhere/file')
no  no  no  no  no  CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE c AS 'x', 'y'
no  no  no  no  no  CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE internal AS 'pg_backend_pid'
no  no  no  no  no  !CREATE TABLESPACE intruder LOCATION '/nowhere'
extensions, other databases, replication
yes no  no  no  no  CREATE EXTENSION hstore
yes no  no  no  no  CREATE EXTENSION dblink
yes no  no  no  no  CREATE EXTENSION postgres_fdw
no  no  no  no  no  CREATE EXTENSION file_fdw
yes no  no  no  no  DROP EXTENSION citext CASCADE
no  no  no  no  no  CREATE FOREIGN DATA WRAPPER w
yes no  no  no  no  SELECT pg_create_physical_replication_slot('intruder', false, true)
no  no  no  no  no  SELECT pg_switch_wal()
no  no  no  no  no  CHECKPOINT
what PostgreSQL leaves to everybody who may connect: docs/security.md
yes yes yes yes yes SELECT lo_create(0)
yes yes yes yes yes SELECT rolname FROM pg_roles
yes yes yes yes yes SELECT pg_notify('channel', 'x')
yes yes yes yes yes SELECT pg_advisory_xact_lock(1)
yes yes yes yes no  LOCK TABLE app.settings IN ACCESS EXCLUSIVE MODE
"""


@pytest.fixture(scope="module")
def home(fleet: Fleet) -> Callable[[str], psycopg.Connection]:
    """Connect to the database of acme/web as one of `ROLES`."""
    app = "acme/web"
    place = fleet.place(app)
    here = partial(connect, place.hosts[0], place.database)
    stranger = Credentials("stranger", "of-a-stranger")
    named = fleet.credentials(app)
    group = fleet.apps[app].names.group_role
    with here(named["owner"]) as owner:
        owner.execute(f"CREATE ROLE {stranger.user} LOGIN PASSWORD '{stranger.password}'")
        # Made as a migration would, by the owner.
        owner.execute("CREATE FUNCTION app.intended() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        assert "permission denied for database" in refusal(place.hosts[0], place.database, stranger)
        owner.execute(f"GRANT CONNECT ON DATABASE {place.database} TO {stranger.user}")
    ways: Actors = {
        "owner": partial(here, named["owner"]),
        "group": partial(here, named["login a"], f"SET ROLE {group}"),
        "a": partial(here, named["login a"]),
        "b": partial(here, named["login b"]),
        "stranger": partial(here, stranger),
    }
    return lambda role: ways[role]()


def test_each_role_may_do_in_its_database_what_the_table_says_and_nothing_else(
    home: Callable[[str], psycopg.Connection],
) -> None:
    with home("owner") as other:
        pid = other.info.backend_pid
        rows = table(APP_RIGHTS, ROLES, app="tenant_acme__web", pid=str(pid))
        assert len(rows) > 110
        # The owner may end its own sessions, and does so last of all.
        ends = [row for row in rows if f"({pid})" in row.statement]
        quiet = [row for row in rows if row not in ends]
        found = tried(quiet, {role: partial(home, role) for role in ROLES})
        found |= tried(ends, {role: partial(home, role) for role in reversed(ROLES)})
    assert {statement: set(who) for statement, who in found.items()} == {
        row.statement: set(row.may) for row in rows
    }


def test_a_login_sees_that_others_are_connected_and_not_what_they_run(
    home: Callable[[str], psycopg.Connection],
) -> None:
    shown = "SELECT query, client_addr::text FROM pg_stat_activity WHERE pid = %s"
    with home("owner") as other, home("a") as login:
        other.execute("SELECT 'of the owner'")
        row = login.execute(shown, [other.info.backend_pid]).fetchone()
    assert row == ("<insufficient privilege>", None)


MAINTENANCE = """
no  !CREATE DATABASE intruder
no  CREATE SCHEMA intruder
no  CREATE TABLE public.intruder (n int)
no  CREATE TABLE pg_catalog.intruder (n int)
no  CREATE EXTENSION hstore
no  SELECT rolpassword FROM pg_authid
no  COPY (SELECT 1) TO PROGRAM 'true'
yes CREATE TEMPORARY TABLE intruder (n int)
"""


@pytest.mark.parametrize("database", ["neondb", "postgres"])
def test_a_login_makes_nothing_that_lasts_in_a_maintenance_database(
    fleet: Fleet, database: str
) -> None:
    place = fleet.place("acme/web")
    login = partial(connect, place.hosts[0], database, fleet.login("acme/web", 2))
    rows = table(MAINTENANCE, ("login",))
    assert tried(rows, {"login": login}) == {row.statement: row.may for row in rows}


def test_a_login_enters_no_template(fleet: Fleet) -> None:
    place, login = fleet.place("acme/web"), fleet.login("acme/web", 2)
    # Everybody who has a password enters template1. That is PostgreSQL's default, which only a superuser changes.
    # Nothing can be made there either.
    rows = table(MAINTENANCE, ("login",))
    found = tried(rows, {"login": partial(connect, place.hosts[0], "template1", login)})
    assert [statement for statement, who in found.items() if who] == []
    assert "not currently accepting connections" in refusal(place.hosts[0], "template0", login)


# ---- who may do what in the catalog

CATALOG_ROLES = ("owner", "writer", "verifier", "stranger")
"""The first run's user; a member of `tenantry_catalog_writer`; a service that verifies keys; any other."""

CATALOG_RIGHTS = """
rows
yes yes no  no  SELECT * FROM tenantry.project_resources
yes yes no  no  SELECT * FROM tenantry.project_services
yes yes no  no  SELECT * FROM tenantry.user_databases
yes yes yes no  SELECT * FROM tenantry.app_metadata
yes yes yes no  SELECT * FROM tenantry.api_keys
yes yes no  no  SELECT * FROM tenantry.alembic_version
yes yes no  no  UPDATE tenantry.app_metadata SET status = status
yes yes no  no  UPDATE tenantry.project_resources SET deleted_at = now()
yes yes no  no  UPDATE tenantry.project_services SET status = status
yes yes no  no  UPDATE tenantry.user_databases SET status = status
yes yes yes no  UPDATE tenantry.api_keys SET last_used = now()
yes yes no  no  UPDATE tenantry.api_keys SET revoked_at = now()
yes yes no  no  UPDATE tenantry.api_keys SET scopes = scopes
yes yes no  no  UPDATE tenantry.api_keys SET key_hash = key_hash
yes yes no  no  INSERT INTO tenantry.project_services (app, type, status) SELECT id, 'x', 'x' FROM tenantry.app_metadata WHERE false
yes no  no  no  DELETE FROM tenantry.app_metadata WHERE false
yes no  no  no  DELETE FROM tenantry.project_resources
yes no  no  no  DELETE FROM tenantry.project_services
yes no  no  no  DELETE FROM tenantry.user_databases
yes no  no  no  DELETE FROM tenantry.api_keys
yes no  no  no  DELETE FROM tenantry.alembic_version
yes no  no  no  UPDATE tenantry.alembic_version SET version_num = 'x'
yes no  no  no  TRUNCATE tenantry.api_keys
structure and rights
yes no  no  no  ALTER TABLE tenantry.api_keys ADD COLUMN more int
yes no  no  no  DROP TABLE tenantry.api_keys
yes no  no  no  CREATE INDEX ON tenantry.api_keys (name)
yes no  no  no  CREATE TRIGGER t BEFORE INSERT ON tenantry.api_keys FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
yes no  no  no  CREATE TABLE tenantry.intruder (n int)
yes no  no  no  CREATE TABLE public.intruder (n int)
yes no  no  no  CREATE SCHEMA intruder
yes no  no  no  ALTER SCHEMA tenantry RENAME TO intruder
yes no  no  no  GRANT SELECT ON tenantry.api_keys TO PUBLIC
yes no  no  no  GRANT USAGE ON SCHEMA tenantry TO PUBLIC
yes no  no  no  ALTER DATABASE tenantry CONNECTION LIMIT 1
roles
yes no  no  no  CREATE ROLE intruder
yes yes no  no  SET ROLE tenantry_catalog_writer
yes no  no  no  SET ROLE tenantry_catalog
yes no  no  no  GRANT tenantry_catalog_writer TO stranger
no  no  no  no  ALTER ROLE CURRENT_USER CREATEROLE
no  no  no  no  ALTER ROLE CURRENT_USER SUPERUSER
yes no  no  no  SELECT rolpassword FROM pg_authid
no  no  no  no  SELECT pg_read_file('PG_VERSION')
no  no  no  no  COPY (SELECT 1) TO PROGRAM 'true'
"""


@pytest.fixture
def catalog_roles(fleet: Fleet) -> Actors:
    parts = urlsplit(fleet.cloud.catalog_url)
    here = partial(connect, str(parts.hostname), parts.path[1:])
    owner = Credentials(str(parts.username), str(parts.password))
    others = {role: Credentials(role, f"of-the-{role}") for role in CATALOG_ROLES[1:]}
    with here(owner) as connection:
        for each in others.values():
            connection.execute(f"CREATE ROLE {each.user} LOGIN PASSWORD '{each.password}'")
        connection.execute("GRANT tenantry_catalog_writer TO writer")
        connection.execute("GRANT USAGE ON SCHEMA tenantry TO verifier")
        connection.execute("GRANT SELECT ON tenantry.api_keys, tenantry.app_metadata TO verifier")
        connection.execute("GRANT UPDATE (last_used) ON tenantry.api_keys TO verifier")
    return {"owner": partial(here, owner)} | {
        role: partial(here, each) for role, each in others.items()
    }


def test_each_role_may_do_in_the_catalog_what_the_table_says_and_nothing_else(
    catalog_roles: Actors,
) -> None:
    rows = table(CATALOG_RIGHTS, CATALOG_ROLES)
    assert len(rows) == 43
    assert tried(rows, catalog_roles) == {row.statement: row.may for row in rows}
