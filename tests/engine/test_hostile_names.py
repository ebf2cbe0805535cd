"""What the registry takes although it looks like an attack on quoting, truncation or a path. It is run and harmless."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tenantry.aura.query import Connection, QueryClient
from tenantry.registry import load
from tests.engine.workspace import Workspace, projects
from tests.localcloud_fixture import LocalCloud, local_cloud

# Alembic's configuration reads %, its list of folders is split at blanks and colons, a shell reads $ and quotes.
FOLDER = '$(touch evil) 100% "it\'s" a:b, {c} ü'
USERS = [
    "a@b.example",
    "auth0|5f7c",
    "a..b",
    "a--b",
    "a__b",
    "A",
    "a+b",
    "pg_a",
    "u" * 64,
    "u" * 63 + "v",
]
LONG = "l" * 62
NAME = (
    "Robert'); DROP TABLE tenantry.app_metadata; -- \" $(touch evil) `touch evil` w\u0435b %s {} \\"
)
HISTORY = """\
from alembic import op
revision = "one"
down_revision = None
def upgrade():
    op.execute("CREATE TABLE items (id int PRIMARY KEY)")
def downgrade():
    op.execute("DROP TABLE items")
"""
# Tenants and apps are named for SQL's own words; two names differ in their last letter alone, past every limit.
REGISTRY = f"""\
version: 1
namespace: select
defaults: {{region: aws-us-east-2, environment: development, deletion: delete}}
tenants:
  user:
    name: {json.dumps(NAME)}
    contact: {json.dumps("'; drop role postgres --")}
    apps:
      table:
        database:
          schema: {{path: {json.dumps("./" + FOLDER)}}}
          extensions: [pg_trgm]
          url_scheme: a+b.c-d
          branches: {{null-or-true: {{}}}}
        api_keys: [{{name: drop}}, {{name: {"k" * 63}}}]
        graphs_per_user: {{type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: {json.dumps(USERS)}}}
  {LONG}x:
    apps:
      {LONG}x: {{database: {{extensions: [hstore]}}}}
      {LONG}y: {{database: {{extensions: [citext]}}}}
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with local_cloud(
        tmp_path_factory.mktemp("hostile-cloud"), "--aura-create-seconds", "0.2"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def converged(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("hostile") / "workspace", cloud.env())
    versions = workspace.folder / FOLDER / "versions"
    versions.mkdir(parents=True)
    (versions / "one.py").write_text(HISTORY)
    workspace.apply(REGISTRY)
    yield workspace
    workspace.must("destroy", "--yes", "--skip-preview")
    assert projects(cloud, "select") == []
    # No text was run by a shell, wherever it went.
    assert list(workspace.folder.rglob("evil")) == []


def test_it_converges_and_stays_so(converged: Workspace) -> None:
    converged.assert_converged()


def test_each_database_is_the_apps_own_under_its_derived_name(converged: Workspace) -> None:
    apps = load(converged.registry).apps
    assert len({app.names.database for app in apps}) == len(apps) == 3
    extensions = {app.id: set(app.database.extensions) for app in apps}
    for app in apps:
        with psycopg.connect(usable(converged.url(app.id))) as connection:
            row = connection.execute("SELECT current_database(), current_user").fetchone()
            made = connection.execute("SELECT extname FROM pg_extension").fetchall()
        assert row == (app.names.database, app.names.login_role(1))
        assert all(len(str(name).encode()) <= 63 for name in row)
        assert {name for (name,) in made} - {"plpgsql"} == extensions[app.id]


def usable(url: str) -> str:
    """The URL with the scheme that psycopg knows."""
    return "postgresql" + url[url.index(":") :]


def test_a_history_is_found_whatever_its_folder_is_called(converged: Workspace) -> None:
    url = converged.url("user/table")
    assert urlsplit(url).scheme == "a+b.c-d"
    with psycopg.connect(usable(url)) as connection:
        assert connection.execute("SELECT version_num FROM app.alembic_version").fetchall() == [
            ("one",)
        ]


def test_each_user_has_a_graph_of_its_own_and_a_row_with_its_very_name(
    converged: Workspace, cloud: LocalCloud
) -> None:
    graphs = converged.outputs()["graphs"]
    assert set(graphs) == {f"user/table/{user}" for user in USERS}
    assert len({each["password"] for each in graphs.values()}) == len(USERS)
    first = graphs[f"user/table/{USERS[0]}"]
    with QueryClient(
        Connection(first["uri"], first["user"], first["password"], first["database"])
    ) as client:
        assert client.run("RETURN 1 AS one", {}, access="Read").rows() == [{"one": 1}]
    with psycopg.connect(cloud.catalog_url) as connection:
        noted = connection.execute("SELECT user_id FROM tenantry.user_databases").fetchall()
    assert sorted(user for (user,) in noted) == sorted(USERS)


def test_the_commands_take_them_as_they_are(converged: Workspace) -> None:
    command = Path(sys.executable).parent / "tenantry"
    assert shutil.which(str(command))
    for arguments in (["validate"], ["status"], ["url", "user/table"], ["keys", "list"]):
        done = subprocess.run(
            [str(command), *arguments],
            cwd=converged.folder,
            env=converged.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
