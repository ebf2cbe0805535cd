"""No secret is in clear through an app's life, in no file, output or argument, with everything logged and traced."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.canaries import Processes, Secrets, read_files, watched
from tests.engine.workspace import SECONDS, Finished, Workspace
from tests.localcloud_fixture import LocalCloud, local_cloud

REGISTRY = """\
version: 1
namespace: canaries
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          schema: ./history
          connection_limit: LIMIT
          credentials: {generation: GENERATION}
        services: [auth]
        api_keys: [{name: default, generation: KEY}]
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB}
        deletion: delete
"""
REVISION = """\
from alembic import op
revision = {id!r}
down_revision = {after!r}
def upgrade():
    op.execute({up!r})
def downgrade():
    op.execute("SELECT 1")
"""
MADE = {
    "neon:index/project:Project": "databasePassword",
    "random:index/randomPassword:RandomPassword": "result",
    "pulumi-python:dynamic/tenantry:ApiKey": "key",
    "pulumi-python:dynamic/tenantry:AuraInstance": "password",
}
"""The secrets that a run makes: an output by the type of its resource."""
# What each has to be quoted for, somewhere: URLs, JSON, shells, YAML.
PASSPHRASE = 'canary "passphrase" of $HOME & 100 % \\ ü'
CATALOG_PASSWORD = "canary/catalog@pass:word?100%&'\"+ü"


def withheld() -> bool:
    """Whether the engine is one that keeps values out of its log (`toolchain/withheld`)."""
    engine = shutil.which("pulumi", path=str(Path(sys.executable).parent))
    assert engine
    return b"(withheld)" in Path(engine).read_bytes()


# Of the vendor's engine and plugins, this is the most that shows no secret: docs/security.md, "Logs and traces".
VERBOSITY = 11 if withheld() else 4


@dataclass
class Story:
    """What was done, and what is left of it."""

    workspace: Workspace
    cloud: LocalCloud
    temporary: Path
    traces: Path
    texts: list[tuple[str, bytes]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)

    def write(self, *, limit: int = 20, generation: int = 1, key: int = 1) -> None:
        text = REGISTRY.replace("LIMIT", str(limit))
        text = text.replace("GENERATION", str(generation)).replace("KEY", str(key))
        self.workspace.registry.write_text(text)

    def revise(self, number: int, up: str) -> None:
        after = f"canary_{number - 1}" if number > 1 else None
        text = REVISION.format(id=f"canary_{number}", after=after, up=up)
        folder = self.workspace.folder / "history" / "versions"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"canary_{number}.py").write_text(text)

    def pulumi(self, *arguments: str, works: bool = True) -> Finished:
        done = self.workspace.pulumi(*arguments)
        assert (done.code == 0) == works, f"pulumi {' '.join(arguments)}\n{done.said}"
        self.texts.append((f"pulumi {' '.join(arguments)}", done.said.encode()))
        return done

    def tenantry(self, *arguments: str, given: str = "", code: int = 0) -> Finished:
        answer = subprocess.run(
            [str(Path(sys.executable).parent / "tenantry"), *arguments],
            cwd=self.workspace.folder,
            env=self.workspace.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        done = Finished(answer.returncode, answer.stdout, answer.stderr)
        assert done.code == code, f"tenantry {' '.join(arguments)}\n{done.said}"
        self.texts.append((f"tenantry {' '.join(arguments)}", done.said.encode()))
        return done

    def learn(self) -> None:
        """Note every secret that there is now, before a later step takes it away."""
        exported = self.workspace.must("stack", "export", "--show-secrets")
        for resource in json.loads(exported.out)["deployment"]["resources"]:
            kind, name = resource["urn"].split("::")[2:]
            output = MADE.get(kind.split("$")[-1])
            if output is not None:
                secret = json.loads(resource["outputs"][output]["plaintext"])
                self.values.setdefault(f"{output} of {name}", secret)
        for file in self.token_files():
            self.values["token"] = json.loads(file.read_text())["access_token"]

    @property
    def clusters(self) -> Path:
        """Where the local cloud keeps its servers' data."""
        settings = json.loads((self.cloud.data / "localcloud.json").read_text())
        return Path(settings["clusters"])

    def token_files(self) -> list[Path]:
        return list((self.workspace.folder / ".tenantry" / "aura").glob("*.token"))

    def secrets(self) -> Secrets:
        return Secrets(self.values)


def catalog_url(cloud: LocalCloud) -> str:
    """Give the catalog's user a password that each kind of text writes in its own way."""
    with psycopg.connect(cloud.catalog_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER ROLE tenantry_catalog PASSWORD {}").format(CATALOG_PASSWORD)
        )
    place = cloud.catalog_url.rpartition("@")[2]
    return f"postgresql://tenantry_catalog:{quote(CATALOG_PASSWORD, safe='')}@{place}"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The life of an app, from its first preview to its end, loudly."""
    folder = tmp_path_factory.mktemp("canaries")
    temporary = folder / "tmp"
    traces = folder / "traces"
    for each in (temporary, traces):
        each.mkdir()
    with local_cloud(folder / "cloud", "--aura-create-seconds", "0.2") as cloud:
        environment = cloud.env() | {
            "TENANTRY_CATALOG_URL": catalog_url(cloud),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "TMPDIR": str(temporary),
            "TF_LOG": "TRACE",
        }
        workspace = Workspace(folder / "workspace", environment, served=False)
        told = Story(workspace, cloud, temporary, traces)
        told.values = {
            "neon key": cloud.neon_api_key,
            "aura secret": cloud.aura_client_secret,
            "passphrase": PASSPHRASE,
            "catalog password": CATALOG_PASSWORD,
        }
        with watched() as told.processes:
            live(told)
        told.texts += read_files(cloud.data / "localcloud.log")
        told.texts += read_files(workspace.folder, temporary, traces, besides=told.token_files())
        yield told


def live(story: Story) -> None:
    everything = (f"-v={VERBOSITY}", "--logflow", "--debug")
    story.revise(1, "CREATE TABLE items (id int PRIMARY KEY)")
    story.write()
    story.pulumi("preview", "--diff", *everything)
    # To standard error, and a trace.
    traced = ("--tracing", f"file:{story.traces / 'first'}") if withheld() else ()
    story.pulumi("up", "--yes", "--skip-preview", *everything, "--logtostderr", *traced)
    story.learn()
    # A change and a rotation; a revision fails with a statement that holds what only the server may see.
    story.revise(2, "SELECT canary FROM items")
    story.write(limit=30, generation=2, key=2)
    failed = story.pulumi("up", "--yes", "--skip-preview", *everything, works=False)
    assert "canary_2" in failed.said
    story.learn()
    story.revise(2, "CREATE TABLE more (id int PRIMARY KEY)")
    story.pulumi("up", "--yes", "--skip-preview", "--json", *everything)
    story.learn()
    change_by_hand(story)
    otel = ("--otel-traces", f"file:{story.traces / 'second'}") if withheld() else ()
    story.pulumi("refresh", "--yes", "--diff", *everything, *otel)
    story.tenantry("up", "--yes", "--", "--diff", *everything)
    ask(story)
    # The servers' logs go with them.
    story.texts += read_files(*story.clusters.rglob("*.log"))
    story.pulumi("destroy", "--yes", "--skip-preview", *everything)
    story.pulumi("stack", "history", "--json")


def change_by_hand(story: Story) -> None:
    """Take a right from a role, as its owner may."""
    project = story.workspace.outputs()["apps"]["acme/web"]["project"]
    asked = {"database_name": "tenant_acme__web", "role_name": "tenant_acme__web__owner"}
    with story.cloud.client() as client:
        found = client.get(f"/projects/{project}/connection_uri", params=asked)
    with psycopg.connect(found.raise_for_status().json()["uri"]) as connection:
        connection.execute("ALTER ROLE tenant_acme__web__login_b CONNECTION LIMIT 7")


def ask(story: Story) -> None:
    """Run every command that is to print no secret."""
    key = story.workspace.outputs()["apiKeys"]["acme/web"]["default"]["2"]
    story.tenantry("validate")
    story.tenantry("status")
    story.tenantry("status", "--json")
    story.tenantry("keys", "list", "--all", "--json")
    assert "valid" in story.tenantry("keys", "verify", given=key).out
    story.tenantry("keys", "rotate", "acme/web", "default")
    story.tenantry("doctor", "--json")
    story.write(limit=31, generation=3, key=3)
    plan = story.tenantry("plan", "--refresh", "--json", "--out", "plan.json", code=2)
    assert any(row["changes"] for row in json.loads(plan.out)["rows"])
    story.tenantry("graph", "query", "acme/web", "RETURN 1 AS one")
    story.pulumi("stack", "output", "--json")
    story.pulumi("stack", "export")
    story.pulumi("config")


def test_every_kind_of_secret_is_looked_for_and_would_be_found(story: Story) -> None:
    """Two generations of logins and keys, the owner, the graph, and what was planted."""
    assert set(story.values) == {
        *("neon key", "aura secret", "passphrase", "catalog password", "token"),
        *("databasePassword of acme/web", "password of acme/web"),
        *("result of acme/web/password-1", "result of acme/web/password-2"),
        *("key of acme/web/default/1", "key of acme/web/default/2"),
    }
    shown = json.dumps(list(story.values.values())).encode()
    assert story.secrets().named(shown) == set(story.values)


def test_nothing_that_was_written_or_shown_holds_a_secret(story: Story) -> None:
    places = [place for place, _ in story.texts]
    # Among others: the engine's and its plugins' log, the record of each command, history, backups, the servers' logs.
    for expected in (
        "/tmp/pulumi.",
        "(decompressed)",
        "/.pulumi/history/",
        ".json.bak",
        "/branches/",
    ):
        assert any(expected in place for place in places), expected
    assert story.secrets().hits(story.texts) == []


def test_no_argument_of_a_process_is_a_secret(story: Story) -> None:
    seen = story.processes.arguments
    assert any(b"pulumi-resource-postgresql" in arguments for arguments in seen)
    assert story.secrets().hits((str(arguments), arguments) for arguments in seen) == []


# The engine hands its environment on to whatever it starts (docs/security.md, "Who holds which secret while it runs").
ENGINE = {
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resident",
    "pulumi-resource-neon",
    "pulumi-resource-postgresql",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-random",
    "pulumi-resource-terraform-provider",
    "python -m pip",
    "python -m pulumi.dynamic",
    "python3",  # `python3 --version`, by the language host
}


def test_a_secret_is_in_the_environment_of_the_engine_and_of_what_it_starts_only(
    story: Story,
) -> None:
    holders = story.processes.holders(story.secrets())
    # What a run makes is in no environment at all.
    assert set(holders) == {"neon key", "aura secret", "passphrase", "catalog password"}
    for name, programs in holders.items():
        assert programs - ENGINE == {"tenantry"}, name


def test_no_file_that_holds_a_secret_is_open_to_others(story: Story) -> None:
    files = [*story.token_files(), *(story.cloud.data / name for name in CLOUD_FILES)]
    assert len(files) == 1 + len(CLOUD_FILES)
    assert {file: oct(stat.S_IMODE(file.stat().st_mode)) for file in files} == dict.fromkeys(
        files, oct(0o600)
    )
    folders = [story.token_files()[0].parent, story.clusters]
    assert [oct(stat.S_IMODE(each.stat().st_mode)) for each in folders] == [oct(0o700)] * 2


CLOUD_FILES = ("localcloud.json", "state.db", "tls/ca.key")


def test_nothing_is_left_in_the_temporary_folder_but_logs(story: Story) -> None:
    left = [file.name for file in story.temporary.rglob("*") if ".log." not in file.name]
    assert [name for name in left if not name.endswith(".INFO")] == []


def test_the_state_keeps_secrets_encrypted(story: Story) -> None:
    marked: list[Any] = []
    for place, text in story.texts:
        if "/.pulumi/history/" in place and place.endswith(".checkpoint.json"):
            marked += secrets_of(json.loads(text))
    assert len(marked) > 20
    assert all("ciphertext" in each and "plaintext" not in each for each in marked)


def secrets_of(value: Any) -> Iterator[dict[str, Any]]:
    """Find what carries the mark of a secret in a state."""
    if isinstance(value, dict):
        if value.get("4dabf18193072939515e22adb298388d") == "1b47061264138c4ac30d75fd1eb44270":
            yield value
        for each in value.values():
            yield from secrets_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from secrets_of(each)


def test_the_passphrase_of_a_local_run_is_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    data = tmp_path / ".tenantry" / "localcloud"
    with local_cloud(data):
        subprocess.run(
            [str(Path(sys.executable).parent / "tenantry"), "env"],
            cwd=tmp_path,
            env=dict(os.environ),
            check=True,
            capture_output=True,
            timeout=60,
        )
    assert stat.S_IMODE((tmp_path / ".tenantry" / "passphrase").stat().st_mode) == 0o600
