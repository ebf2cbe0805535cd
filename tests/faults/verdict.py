"""What must be so after a recovery, and what is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlsplit

import psycopg

from tenantry.aura.query import Connection, QueryClient, QueryError, QueryUnreachableError
from tenantry.catalog.verification import verify

if TYPE_CHECKING:
    from tests.engine.workspace import Workspace
    from tests.faults.cloud import FaultyCloud
    from tests.faults.points import Case

Kind = Literal[
    "orphan", "duplicate", "lost password", "leak", "not converged", "left behind", "not reached"
]
KINDS: Final[tuple[Kind, ...]] = (
    "orphan",
    "duplicate",
    "lost password",
    "leak",
    "not converged",
    "left behind",
    "not reached",
)
_PROJECT: Final = "neon:index/project:Project"
_BRANCH: Final = "neon:index/branch:Branch"
_ENDPOINT: Final = "neon:index/endpoint:Endpoint"
_INSTANCE: Final = "pulumi-python:dynamic/tenantry:AuraInstance"
_PASSWORD: Final = "random:index/randomPassword:RandomPassword"
_ROLE: Final = "postgresql:index/role:Role"
_SECRET: Final = "4dabf18193072939515e22adb298388d"
_LEAST: Final = 10
"""Shorter texts than this are no secrets: they would be found everywhere."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be."""

    kind: Kind
    text: str


class State:
    """A stack's state with its secrets in clear, in memory only."""

    def __init__(self, workspace: Workspace) -> None:
        exported = json.loads(workspace.must("stack", "export", "--show-secrets").out)
        deployment = _clear(exported["deployment"])
        self.resources: list[dict[str, Any]] = deployment.get("resources") or []
        self.pending: list[dict[str, Any]] = deployment.get("pending_operations") or []

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The resources of a type."""
        return [each for each in self.resources if each["type"] == kind]

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        (stack,) = self.of("pulumi:pulumi:Stack")
        found: dict[str, Any] = stack.get("outputs") or {}
        return found


def _clear(value: Any) -> Any:
    if isinstance(value, dict):
        if _SECRET in value:
            return _clear(json.loads(value["plaintext"]))
        return {key: _clear(each) for key, each in value.items()}
    return [_clear(each) for each in value] if isinstance(value, list) else value


def judge(
    case: Case, workspace: Workspace, cloud: FaultyCloud, namespace: str, said: list[str]
) -> list[Finding]:
    """Compare registry, state and cloud, try every credential, and look for what was left.

    :param said: what the runs have printed
    """
    findings = list(_converged(workspace))
    state = State(workspace)
    findings += _projects(case, state, cloud, namespace)
    findings += _inside(state, cloud)
    findings += _instances(case, state, cloud, namespace)
    findings += _logins(case, state)
    findings += _keys(state, cloud)
    findings += _graphs(state)
    findings += _left(state, workspace)
    findings += _leaks(state, workspace, cloud, said)
    return findings


def _converged(workspace: Workspace) -> Iterator[Finding]:
    # At once: a refresh that only looks takes no lock and changes nothing.
    with ThreadPoolExecutor() as pool:
        up = pool.submit(workspace.pulumi, "up", "--yes", "--skip-preview", "--expect-no-changes")
        looked = workspace.pulumi("refresh", "--preview-only", "--expect-no-changes")
    for name, done in (("up", up.result()), ("refresh", looked)):
        if done.code != 0:
            yield Finding("not converged", f"a further {name}: {_end(done.said)}")


def _projects(case: Case, state: State, cloud: FaultyCloud, namespace: str) -> Iterator[Finding]:
    wanted = sorted(case.scenario.projects(namespace).values())
    live = cloud.projects(namespace)
    held = {each["id"] for each in state.of(_PROJECT)}
    for project in live:
        if project["id"] not in held:
            yield Finding("orphan", f"project {project['name']} {project['id']} is in no state")
    names = sorted(project["name"] for project in live)
    for name, number in Counter(names).items():
        if number > 1:
            yield Finding("duplicate", f"{number} live projects named {name}")
    if sorted(set(names)) != wanted:
        yield Finding("not converged", f"live projects {names}, registry {wanted}")
    if missing := held - {each["id"] for each in live}:
        yield Finding("not converged", f"in the state and not in the cloud: {sorted(missing)}")
    # Also those that somebody deleted meanwhile: each was paid for.
    made = Counter(each["name"] for each in [*live, *cloud.projects(namespace, deleted=True)])
    for name, number in made.items():
        most = case.creates_of_projects + case.scenario.replaces
        if number > most:
            yield Finding("duplicate", f"project {name} was made {number} times")


def _inside(state: State, cloud: FaultyCloud) -> Iterator[Finding]:
    """Branches and computes: none that no state knows, none that is in the state alone."""
    for project in state.of(_PROJECT):
        id_ = project["id"]
        main = project["outputs"].get("defaultBranchId")
        branches = {each["id"] for each in cloud.branches(id_)}
        known = {each["id"] for each in state.of(_BRANCH) if each["inputs"]["projectId"] == id_}
        endpoints = {each["id"] for each in cloud.endpoints(id_)}
        computes = {
            each["id"] for each in state.of(_ENDPOINT) if each["inputs"]["projectId"] == id_
        }
        computes.add(project["outputs"].get("defaultEndpointId"))
        for there, held in ((branches, known | {main}), (endpoints, computes)):
            for each in sorted(there - held):
                yield Finding("orphan", f"{each} of project {id_} is in no state")
            for each in sorted(map(str, held - there)):
                yield Finding("not converged", f"{each} of project {id_} is not in the cloud")


def _instances(case: Case, state: State, cloud: FaultyCloud, namespace: str) -> Iterator[Finding]:
    wanted = sorted(case.scenario.graphs(namespace).values())
    live = cloud.instances(namespace)
    held = {each["id"] for each in state.of(_INSTANCE)}
    names = sorted(each["name"] for each in live)
    for instance in live:
        if instance["id"] not in held:
            yield Finding("orphan", f"instance {instance['name']} {instance['id']} is in no state")
    for name, number in Counter(names).items():
        if number > 1:
            yield Finding("duplicate", f"{number} live instances named {name}")
    asked = cloud.creates_of_graphs()
    if asked > case.creates_of_graphs:
        yield Finding("duplicate", f"an instance was asked for {asked} times")
    if sorted(set(names)) != wanted:
        yield Finding("not converged", f"live instances {names}, registry {wanted}")


def _logins(case: Case, state: State) -> Iterator[Finding]:
    """Every login that the state knows, direct and pooled, and the owner; and the tables through the app's own."""
    outputs = state.outputs()
    for app, urls in outputs.get("urls", {}).items():
        for kind, url in urls.items():
            yield from _login(url, f"{app} {kind}", case.scenario.tables)
    for project in state.of(_PROJECT):
        host, database = project["outputs"]["databaseHost"], project["outputs"]["databaseName"]
        user, password = project["outputs"]["databaseUser"], project["outputs"]["databasePassword"]
        yield from _login(_url(user, password, host, database), f"owner of {project['id']}")
        for role in state.of(_ROLE):
            # Also the login of the generation before, which stays valid until the next one.
            same = role["urn"].split("::")[-1].rpartition("/")[0] == project["urn"].split("::")[-1]
            if same and role["inputs"].get("login"):
                name, word = role["inputs"]["name"], role["inputs"]["password"]
                data = outputs["apps"][project["urn"].split("::")[-1]]["database"]
                yield from _login(_url(name, word, host, data), f"login {name}")
    passwords = {each["outputs"]["result"] for each in state.of(_PASSWORD)}
    for role in state.of(_ROLE):
        if role["inputs"].get("login") and role["inputs"]["password"] not in passwords:
            yield Finding(
                "lost password", f"that of {role['urn'].split('::')[-1]} is of no generation"
            )


def _url(user: str, password: str, host: str, database: str) -> str:
    return f"postgresql://{quote(user)}:{quote(password)}@{host}/{database}?sslmode=require"


def _login(url: str, what: str, tables: tuple[str, ...] = ()) -> Iterator[Finding]:
    url = "postgresql" + url[url.index("://") :]
    try:
        with psycopg.connect(url, connect_timeout=20) as connection:
            for table in tables:
                row = connection.execute(f"SELECT count(*) FROM app.{table}").fetchone()
                if row != (3,):
                    yield Finding("not converged", f"{what}: table {table} has {row} rows")
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        refused = "password" in str(error)
        kind: Kind = "lost password" if refused else "not converged"
        yield Finding(kind, f"{what}: {' '.join(str(error).split())}")


def _keys(state: State, cloud: FaultyCloud) -> Iterator[Finding]:
    handed = {
        (app, name, int(generation)): key
        for app, names in state.outputs().get("apiKeys", {}).items()
        for name, generations in names.items()
        for generation, key in generations.items()
    }
    if not handed:
        return
    with psycopg.connect(cloud.running.catalog_url, autocommit=True) as connection:
        for (app, name, generation), key in handed.items():
            verdict = verify(connection, key, now=datetime.now(UTC))
            if (verdict.state, verdict.app, verdict.generation) != ("valid", app, generation):
                yield Finding(
                    "lost password", f"API key {app} {name} {generation} is {verdict.state}"
                )
            row = connection.execute(
                "SELECT count(*) FROM tenantry.api_keys k JOIN tenantry.app_metadata a ON a.id = k.app "
                "WHERE a.namespace = %s AND a.app_id = %s AND k.name = %s AND k.generation = %s AND k.revoked_at IS NULL",
                [verdict.namespace, app, name, generation],
            ).fetchone()
            if row != (1,):
                yield Finding(
                    "duplicate", f"API key {app} {name} {generation} has {row} valid rows"
                )


def _graphs(state: State) -> Iterator[Finding]:
    for name, graph in state.outputs().get("graphs", {}).items():
        connection = Connection(graph["uri"], graph["user"], graph["password"], graph["database"])
        with QueryClient(connection) as client:
            try:
                client.run("RETURN 1 AS ok")
            except (QueryError, QueryUnreachableError) as error:
                refused = isinstance(error, QueryError)
                yield Finding("lost password" if refused else "not converged", f"{name}: {error}")


def _left(state: State, workspace: Workspace) -> Iterator[Finding]:
    for operation in state.pending:
        urn = operation["resource"]["urn"].split("::", 2)[-1]
        yield Finding("left behind", f"pending {operation['type']} of {urn}")
    locks = list((workspace.state / ".pulumi" / "locks").rglob("*.json"))
    if locks:
        yield Finding("left behind", f"{len(locks)} locks")
    # The notes of creates that were sent and not answered. Their lock files stay, empty.
    notes = workspace.folder / ".tenantry"
    for file in (*notes.glob("neon/*.json"), *notes.glob("aura/*.create-??")):
        yield Finding("left behind", f"{file.relative_to(workspace.folder)}")


def _leaks(
    state: State, workspace: Workspace, cloud: FaultyCloud, said: list[str]
) -> Iterator[Finding]:
    outputs = state.outputs()
    secrets = {cloud.running.neon_api_key, cloud.running.aura_client_secret}
    secrets |= {each["outputs"]["result"] for each in state.of(_PASSWORD)}
    secrets |= {each["outputs"]["databasePassword"] for each in state.of(_PROJECT)}
    secrets |= {graph["password"] for graph in outputs.get("graphs", {}).values()}
    secrets |= {
        key
        for names in outputs.get("apiKeys", {}).values()
        for generations in names.values()
        for key in generations.values()
    }
    catalog = urlsplit(cloud.running.catalog_url).password
    secrets |= {catalog} if catalog else set()
    wanted = [each.encode() for each in secrets if len(each) >= _LEAST]
    for number, text in enumerate(said):
        if any(each in text.encode() for each in wanted):
            yield Finding("leak", f"a secret in what run {number} printed")
    for file in _files(workspace.folder):
        content = file.read_bytes()
        if any(each in content for each in wanted):
            yield Finding("leak", f"a secret in {file.relative_to(workspace.folder)}")


def _files(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        # The token has a file of its own, for its owner only.
        if file.is_file() and not file.is_symlink() and file.suffix != ".token":
            yield file


def _end(said: str) -> str:
    """The last lines that say what is wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "~" in line or "+" in line]
    return " | ".join((telling or lines)[:6])[:600]
