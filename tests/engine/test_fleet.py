"""Every app in a stack of its own: what runs, what does not, and what becomes of failures and interruptions."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from tenantry.errors import TenantryError
from tenantry.fleet import Provisioned, Selection, provision, provision_async
from tenantry.fleet.events import Event, Finished, Progress, Result, Started
from tenantry.fleet.fleet import silent
from tenantry.running.stack import list_stacks
from tests.engine.fleet_folder import REPOSITORY, FleetFolder
from tests.engine.workspace import projects
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: {namespace}
defaults: {{region: aws-us-east-2, environment: development, deletion: delete}}
tenants:
  acme:
    name: Acme Inc.
    apps:
      web: {{database: {{schema: base}}, services: [auth], api_keys: [{{name: default}}]}}
      lab: {{}}
  globex:
    name: Globex
    apps:
      api: {{environment: production}}
"""


def outcomes(results: tuple[Result, ...]) -> dict[str, str]:
    return {each.app: each.outcome for each in results}


@pytest.fixture
def folder(cloud: LocalCloud, tmp_path: Path) -> Iterator[FleetFolder]:
    made = FleetFolder(tmp_path / "project", cloud.env())
    yield made
    registry = made.fleet().look().desired.registry
    made.fleet().destroy(Selection(), confirmed=registry.namespace)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def assert_nothing_of_the_users_is_touched(folder: FleetFolder, said: str) -> None:
    """Neither a file for each stack, nor a selected stack, nor a secret in what is kept or told."""
    assert sorted(path.name for path in folder.folder.iterdir()) == sorted(
        [".tenantry", ".venv", "Pulumi.yaml", "__main__.py", "home", "state", "tenants.yaml"]
    )
    outputs = json.loads(
        folder.pulumi("stack", "output", "--json", "--show-secrets", "--stack", "acme--web")
    )
    (key,) = outputs["apiKeys"]["acme/web"]["default"].values()
    password = outputs["urls"]["acme/web"]["direct"].split(":")[2].split("@")[0]
    kept = json.dumps(folder.records()) + said
    assert key not in kept
    assert password not in kept


def test_only_the_stacks_of_what_changed_are_worked_on(
    folder: FleetFolder, cloud: LocalCloud
) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet"))
    done = folder.command("plan")
    assert done.returncode == 2
    assert "plan: 3 planned" in done.stderr
    assert "3 to create" in done.stdout.splitlines()[-1] or "create" in done.stdout
    done = folder.command("up")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert projects(cloud, "fleet--") == []

    done = folder.command("up", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["event"] for each in events} >= {
        "begun",
        "started",
        "progress",
        "finished",
        "summary",
    }
    assert projects(cloud, "fleet--") == [
        "fleet--acme--lab",
        "fleet--acme--web",
        "fleet--globex--api",
    ]
    assert_nothing_of_the_users_is_touched(folder, done.stdout + done.stderr)

    # Nothing changed: no engine, so no key and no command is needed.
    environment = {**folder.environment, "PATH": "/nowhere"}
    before = len(folder.records())
    folder.environment, kept_environment = environment, folder.environment
    done = folder.command("up", "--yes")
    folder.environment = kept_environment
    assert done.stdout.startswith("up: 3 unchanged")
    assert done.returncode == 0
    assert len(folder.records()) == before

    # One changed.
    edit(folder.registry, "lab: {}", "lab: {database: {connection_limit: 7}}")
    done = folder.command("plan")
    assert done.returncode == 2
    assert "database.connection_limit: 20 → 7" in done.stdout
    assert "acme/web" not in done.stdout
    summary = folder.fleet().up()
    assert outcomes(summary.results) == {"acme/lab": "applied"}
    assert summary.unchanged == 2

    # What somebody did by hand is looked at again.
    folder.pulumi(
        "refresh", "--yes", "--skip-preview", "--stack", "globex--api", "--run-program=false"
    )
    assert outcomes(folder.fleet().up().results) == {"globex/api": "unchanged"}
    assert folder.fleet().up().results == ()

    # An app leaves with its stack.
    edit(folder.registry, "      lab: {database: {connection_limit: 7}}\n", "")
    made, _ = folder.fleet().plan()
    # The stack's own catalog goes too, without its tables.
    (row,) = [each for each in made.rows if each.app is not None]
    assert (row.app, row.action) == ("acme/lab", "delete")
    assert row.destroys
    summary = folder.fleet().up()
    assert outcomes(summary.results) == {"acme/lab": "removed"}
    assert "acme/lab leaves with 'deletion: delete'" in summary.notes[0]
    assert projects(cloud, "fleet--") == ["fleet--acme--web", "fleet--globex--api"]
    assert "acme--lab" not in folder.fleet().project.store.stacks()
    assert folder.fleet().up().results == ()


def test_drift_is_said_and_left(folder: FleetFolder) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-drift"))
    folder.fleet().up(Selection(tenants=frozenset({"acme"})))
    done = folder.command("drift", "--only", "acme/lab")
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(
        provision("acme/web", folder=folder.folder, environment=folder.environment).url
    ) as database:
        database.execute("ALTER ROLE tenant_acme__web__login_a SET statement_timeout = '1s'")
    # The clouds' lists do not tell of it.
    done = folder.command("drift", "--tenant", "acme")
    assert done.returncode == 0, done.stdout + done.stderr
    done = folder.command("drift", "--deep", "--tenant", "acme", "--json")
    assert done.returncode == 3, done.stdout + done.stderr
    (difference,) = json.loads(done.stdout)["differences"]
    assert (difference["app"], difference["kind"]) == ("acme/web", "role")


BROKEN = """\
revision = "a1"
down_revision = None


def upgrade():
    from alembic import op

    op.execute("CREATE TABLE app.things (id int); SELECT nothing_like_this()")
"""


def test_one_broken_app_is_reported_and_repaired_by_the_next_run(
    folder: FleetFolder,
) -> None:
    versions = folder.folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "a1.py").write_text(BROKEN)
    folder.registry.write_text(
        REGISTRY.format(namespace="fleet-broken").replace(
            "lab: {}", "lab: {database: {schema: ./migrations}}"
        )
    )
    summary = folder.fleet().up()
    assert outcomes(summary.results) == {
        "acme/web": "applied",
        "acme/lab": "failed",
        "globex/api": "applied",
    }
    (failed,) = summary.failed
    assert "nothing_like_this" in failed.reason
    assert failed.attempts == 1
    assert folder.records()[-1]["counts"] == {"applied": 2, "failed": 1}
    done = folder.command("status", "--json")
    standing = {each["app"]: each["standing"] for each in json.loads(done.stdout)}
    assert standing == {"acme/web": "applied", "acme/lab": "failed", "globex/api": "applied"}

    edit(versions / "a1.py", "; SELECT nothing_like_this()", "")
    summary = folder.fleet().up()
    assert outcomes(summary.results) == {"acme/lab": "applied"}
    assert summary.unchanged == 2


def test_two_fleets_at_once_apply_no_app_twice(folder: FleetFolder, cloud: LocalCloud) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-two"))
    first, second = (folder.start("up", "--yes", "--json") for _ in range(2))
    said = [each.communicate(timeout=300) for each in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    results: dict[str, list[str]] = {}
    for out, _ in said:
        for result in json.loads(out.splitlines()[-1])["results"]:
            results.setdefault(result["app"], []).append(result["outcome"])
    # An app that one has applied the other finds as it should be.
    assert all(min(each) == "applied" for each in results.values())
    assert all(each.count("applied") == 1 for each in results.values())
    assert len(projects(cloud, "fleet-two--")) == 3


def test_after_ctrl_c_what_is_in_flight_ends_well_and_the_rest_is_named(
    folder: FleetFolder,
) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-interrupted"))
    process = folder.start("up", "--yes", "--json", "--parallel", "1")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "progress":
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    summary = json.loads(out.splitlines()[-1])
    found = [each["outcome"] for each in summary["results"]]
    assert found == ["applied", "not started", "not started"]
    assert "Ctrl-C again" in err
    # The next run goes on from there.
    assert sorted(outcomes(folder.fleet().up().results).values()) == ["applied", "applied"]


def test_a_second_ctrl_c_stops_what_is_in_flight_and_the_next_run_goes_on(
    folder: FleetFolder,
) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-stopped"))
    process = folder.start("up", "--yes", "--json", "--only", "acme/lab")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("resource") == "Project acme/lab":
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    (result,) = json.loads(out.splitlines()[-1])["results"]
    assert (result["app"], result["outcome"]) == ("acme/lab", "stopped")
    assert "Traceback" not in err
    again = folder.fleet().up(Selection(only=frozenset({"acme/lab"})))
    assert outcomes(again.results) == {"acme/lab": "applied"}


def test_one_app_from_a_script(folder: FleetFolder) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-script"))
    events: list[Event] = []
    threads = set()

    def tell(event: Event) -> None:
        events.append(event)
        threads.add(threading.current_thread())

    made = provision("acme/web", folder=folder.folder, environment=folder.environment, tell=tell)
    assert made.changed
    assert made.url not in repr(made)
    with psycopg.connect(made.url) as database:
        assert database.execute("SELECT count(*) FROM settings").fetchone() == (0,)
    assert [type(each) for each in events if isinstance(each, Started | Finished)] == [
        Started,
        Finished,
    ]
    assert any(
        isinstance(each, Progress) and each.resource == "Project acme/web" for each in events
    )
    assert threads == {threading.current_thread()}

    # The README's lines, in the project's folder.
    readme = (REPOSITORY / "README.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    script = subprocess.run(
        [sys.executable, "-c", lines],
        cwd=folder.folder,
        env=folder.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert script.stdout.splitlines()[-1] == made.url, script.stderr

    again = provision("acme/web", folder=folder.folder, environment=folder.environment)
    assert (again.url, again.api_keys, again.changed) == (made.url, made.api_keys, False)
    app = folder.fleet().look().desired.inputs["acme/web"].app
    alone = provision(app, folder=folder.folder, environment=folder.environment)
    assert (alone.url, alone.changed) == (made.url, False)


def test_one_app_from_an_event_loop_that_cancels_it_and_calls_again(folder: FleetFolder) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-loop"))

    def made(
        tell: Callable[[Event], None] = silent, app: str = "acme/lab"
    ) -> Coroutine[Any, Any, Provisioned]:
        environment = {**folder.environment, "TENANTRY_ACTOR": "auth0|42"}
        return provision_async(app, folder=folder.folder, environment=environment, tell=tell)

    async def cancelled_at(resource: str) -> None:
        ticks = 0
        threads = set()

        def tell(event: Event) -> None:
            threads.add(threading.current_thread())
            if isinstance(event, Progress) and event.resource == resource:
                running.cancel()

        running = asyncio.create_task(made(tell))
        while not running.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert running.cancelled()
        # The loop went on meanwhile, and heard the events itself.
        assert ticks > 10
        assert threads == {threading.current_thread()}

    asyncio.run(cancelled_at("Project acme/lab"))
    (task,) = folder.fleet().look(Selection(only=frozenset({"acme/lab"}))).tasks
    assert task.update is not None
    assert task.update.result == "failed"
    again = asyncio.run(made())
    assert again.changed
    with psycopg.connect(again.url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    assert asyncio.run(made()).url == again.url
    # Who asked is in the engine's history, and in the record of the run.
    status = json.loads(folder.command("status", "--only", "acme/lab", "--json").stdout)
    assert status[0]["actor"] == folder.records()[-1]["actor"] == "auth0|42"
    said = folder.pulumi("stack", "history", "--json", "--stack", "acme--lab", "--page-size", "1")
    assert json.loads(said)[0]["environment"]["exec.agent"] == "auth0|42"
    with pytest.raises(TenantryError, match="acme/none"):
        asyncio.run(made(app="acme/none"))


def test_states_in_a_table_of_a_database_whose_role_may_make_no_database(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    with psycopg.connect(cloud.catalog_url, autocommit=True) as owner:
        owner.execute("CREATE ROLE fleet_states LOGIN NOCREATEDB PASSWORD 'of-a-test'")
        owner.execute("GRANT CREATE ON SCHEMA public TO fleet_states")
    parts = urlsplit(cloud.catalog_url)
    place = parts.netloc.rpartition("@")[2]
    url = f"postgres://fleet_states:of-a-test@{place}{parts.path}?{parts.query}&table=fleet_states"
    folder = FleetFolder(tmp_path / "project", cloud.env(), backend=url)
    folder.registry.write_text(REGISTRY.format(namespace="fleet-table"))
    one = Selection(tenants=frozenset({"globex"}))
    assert outcomes(folder.fleet().up(one).results) == {"globex/api": "applied"}
    assert folder.fleet().up(one).results == ()
    edit(folder.registry, "api: {environment: production}", "api: {}")
    assert outcomes(folder.fleet().up(one).results) == {"globex/api": "applied"}
    folder.registry.write_text(
        folder.registry.read_text()
        .replace("      api: {}\n", "")
        .replace("Globex\n    apps:", "Globex\n    apps: {}")
    )
    assert outcomes(folder.fleet().up(one).results) == {"globex/api": "removed"}
    assert folder.fleet().project.store.stacks() == set()


def test_more_stacks_at_once_than_the_table_has_connections_by_default(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    url = cloud.catalog_url.replace("postgresql://", "postgres://") + "&table=many_states"
    folder = FleetFolder(tmp_path / "project", cloud.env(), backend=url)
    # The engine's default follows the processors, and a machine of the tests may have many.
    folder.environment["GOMAXPROCS"] = "2"
    apps = "".join(f"      app{number}: {{}}\n" for number in range(8))
    folder.registry.write_text(
        "version: 1\nnamespace: fleet-many\ndefaults: {environment: development, region: aws-us-east-2}\n"
        f"tenants:\n  acme:\n    apps:\n{apps}"
    )
    done = folder.command("up", "--all", "--yes", "--parallel", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list_stacks(folder.environment, folder.folder)) == 8


def test_settings_and_secrets_that_all_stacks_share(folder: FleetFolder, cloud: LocalCloud) -> None:
    folder.registry.write_text(REGISTRY.format(namespace="fleet-settings"))
    key = folder.environment.pop("NEON_API_KEY")
    folder.environment["NEON_ORG_ID"] = ""
    folder.pulumi("stack", "init", "fleet")
    folder.pulumi("config", "set", "--stack", "fleet", "--secret", "neon:apiKey", key)
    folder.pulumi("config", "set", "--stack", "fleet", "tenantry:neonOrgId", cloud.neon_org_id)
    settings = (folder.folder / "Pulumi.fleet.yaml").read_text()
    one = Selection(only=frozenset({"acme/lab"}))
    assert outcomes(folder.fleet().up(one).results) == {"acme/lab": "applied"}
    assert (folder.folder / "Pulumi.fleet.yaml").read_text() == settings
    assert folder.fleet().up(one).results == ()
    # All stacks are encrypted with the key of the settings.
    salt = yaml.safe_load(settings)["encryptionsalt"]
    state = folder.state / ".pulumi" / "stacks" / "tenantry" / "acme--lab.json"
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    assert latest["secrets_providers"]["state"]["salt"] == salt
    assert key not in state.read_text()
