"""Failures that have a secret at hand: refused credentials, an API that echoes, a crash. No secret may be repeated."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.canaries import Secrets, read_files
from tests.engine.workspace import Finished, Workspace
from tests.faults.echo import Echo, Form, echoing
from tests.localcloud_fixture import LocalCloud, local_cloud

pytestmark = pytest.mark.faults

REGISTRY = """\
version: 1
namespace: echoes
tenants:
  acme:
    apps:
      web:
        environment: development
        region: aws-us-east-2
        database:
          schema: base
          connection_limit: LIMIT
          compute: {min_cu: 0.25, max_cu: MAX}
          credentials: {generation: GENERATION}
        api_keys: [{name: default}]
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: MEMORY}
        retries:
          database: {attempts: 1}
          schema: {attempts: 1}
          services: {attempts: 1}
          keys: {attempts: 1}
        deletion: delete
"""
APP = "acme/web"
WRONG = "canary-that-opens-nothing-%\"'@x"
UP = ("up", "--yes", "--skip-preview")
REFRESH = ("refresh", "--yes")
LOUDLY = ("-v=11", "--logflow", "--debug")


@dataclass
class Place:
    """A converged app, and the fronts between it and its APIs."""

    workspace: Workspace
    cloud: LocalCloud
    neon: Echo
    aura: Echo
    temporary: Path
    settings: dict[str, str]
    secrets: dict[str, str]

    def write(self, **settings: str) -> None:
        text = REGISTRY
        for name, value in (self.settings | settings).items():
            text = text.replace(name, value)
        self.workspace.registry.write_text(text)

    def learn(self) -> None:
        """Note the secrets that there are now."""
        exported = self.workspace.must("stack", "export", "--show-secrets")
        for resource in json.loads(exported.out)["deployment"]["resources"]:
            for output in ("result", "databasePassword", "password", "key"):
                value = resource.get("outputs", {}).get(output)
                if isinstance(value, dict) and "plaintext" in value:
                    secret = json.loads(value["plaintext"])
                    if isinstance(secret, str) and len(secret) > 16:
                        self.secrets[f"{output} of {resource['urn'].split('::')[-1]}"] = secret
        for file in self.token_files():
            self.secrets["token"] = json.loads(file.read_text())["access_token"]

    def token_files(self) -> list[Path]:
        return list((self.workspace.folder / ".tenantry" / "aura").glob("*.token"))

    def forget_tokens(self) -> None:
        for file in self.token_files():
            file.unlink()

    def run(self, *arguments: str) -> Finished:
        """Run with a failure expected, loudly, and find no secret in what it said and left."""
        done = self.workspace.pulumi(*arguments, *LOUDLY)
        self.check(done)
        assert done.code != 0, done.out
        return done

    def check(self, done: Finished) -> None:
        texts = [("printed", done.said.encode())]
        texts += read_files(self.workspace.folder, self.temporary, besides=self.token_files())
        texts += read_files(self.cloud.data / "localcloud.log")
        logs = [self.temporary, self.workspace.folder / "home" / "logs"]
        for file in [file for folder in logs for file in folder.iterdir()]:
            file.unlink()
        hits = Secrets(self.secrets).hits(texts)
        assert not hits, "\n".join(map(str, hits))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("echoes")
    temporary = folder / "tmp"
    temporary.mkdir()
    with (
        local_cloud(folder / "cloud", "--aura-create-seconds", "0.2") as cloud,
        echoing(cloud.neon_api_url) as neon,
        echoing(cloud.aura_base_url) as aura,
    ):
        environment = cloud.env() | {
            "NEON_API_URL": f"{neon.url}/api/v2",
            "AURA_BASE_URL": f"{aura.url}/v1",
            "AURA_TOKEN_URL": f"{aura.url}/oauth/token",
            "TMPDIR": str(temporary),
            "TF_LOG": "TRACE",
        }
        workspace = Workspace(folder / "workspace", environment, served=False)
        defaults = {"LIMIT": "20", "MAX": "1", "GENERATION": "2", "MEMORY": "1GB"}
        known = {"neon key": cloud.neon_api_key, "aura secret": cloud.aura_client_secret}
        known["wrong"] = WRONG
        made = Place(workspace, cloud, neon, aura, temporary, defaults, known)
        made.write()
        workspace.must("up", "--yes", "--skip-preview")
        made.learn()
        yield made


def owner_url(place: Place) -> str:
    project = place.workspace.outputs()["apps"][APP]["project"]
    asked = {"database_name": "tenant_acme__web", "role_name": "tenant_acme__web__owner"}
    with place.cloud.client() as client:
        found = client.get(f"/projects/{project}/connection_uri", params=asked)
    uri: str = found.raise_for_status().json()["uri"]
    return uri


@pytest.fixture(autouse=True)
def healed(place: Place) -> Iterator[None]:
    """Each test breaks one thing; afterwards everything is as it was, and converges."""
    environment = dict(place.workspace.environment)
    yield
    place.workspace.environment = environment
    place.neon.orders = place.aura.orders = {}


@pytest.mark.parametrize(
    ("request_", "status", "form"),
    [
        ("PATCH *", 400, "error"),
        ("PATCH *", 302, "redirect"),
        ("GET *", 401, "error"),
        ("GET *", 403, "text"),
        ("GET *", 200, "truncated"),
    ],
)
def test_neon_repeats_what_it_was_sent(
    place: Place, request_: str, status: int, form: Form
) -> None:
    place.neon.order(request_, status, form)
    place.write(MAX="2")
    place.run(*(UP if request_.startswith("PATCH") else REFRESH))
    assert place.neon.answered


@pytest.mark.parametrize(
    ("request_", "status", "form"),
    [
        ("PATCH *", 400, "error"),
        ("PATCH *", 302, "redirect"),
        ("GET *", 422, "error"),
        ("GET *", 403, "text"),
        ("GET *", 200, "truncated"),
        ("POST /oauth/token", 401, "error"),
        ("POST /oauth/token", 422, "error"),
        ("POST /oauth/token", 403, "text"),
        ("POST /oauth/token", 302, "redirect"),
    ],
)
def test_aura_repeats_what_it_was_sent(
    place: Place, request_: str, status: int, form: Form
) -> None:
    if request_.startswith("POST"):
        place.forget_tokens()
    place.aura.order(request_, status, form)
    place.write(MEMORY="2GB")
    place.run(*(UP if request_.startswith("PATCH") else REFRESH))
    assert place.aura.answered


@pytest.mark.parametrize(
    ("before", "after", "in_a_run"),
    [
        pytest.param("postgresql://u:", "@PLACE", True, id="wrong password"),
        pytest.param("postgresql://u:", "@127.0.0.1:1/tenantry", False, id="no server"),
        pytest.param("postgresql://u:", "@no.such.host.invalid/tenantry", False, id="no host"),
        pytest.param("postgresql://u:", "@PLACE&nonsense=1", True, id="no such option"),
        pytest.param("mysql://u:", "@PLACE", False, id="another scheme"),
        pytest.param("postgresql:/u:", "@PLACE", False, id="one slash"),
    ],
)
@pytest.mark.parametrize("written", [WRONG, quote(WRONG, safe="")], ids=["as it is", "quoted"])
def test_the_catalogs_url_opens_nothing(
    place: Place, before: str, after: str, written: str, *, in_a_run: bool
) -> None:
    where = place.cloud.catalog_url.rpartition("@")[2]
    url = f"{before}{written}{after}".replace("PLACE", where)
    place.workspace.environment["TENANTRY_CATALOG_URL"] = url
    done = tenantry(place, "keys", "list")
    assert done.code != 0
    place.check(done)
    if in_a_run and written != WRONG:
        place.run(*REFRESH)


def tenantry(place: Place, *arguments: str) -> Finished:
    answer = subprocess.run(
        [str(Path(place.workspace.folder / ".venv/bin/tenantry")), *arguments],
        cwd=place.workspace.folder,
        env=place.workspace.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Finished(answer.returncode, answer.stdout, answer.stderr)


@pytest.mark.parametrize("variable", ["NEON_API_KEY", "AURA_CLIENT_SECRET", "AURA_API_TOKEN"])
def test_a_credential_is_refused(place: Place, variable: str) -> None:
    place.forget_tokens()
    place.workspace.environment[variable] = WRONG
    place.run(*REFRESH)


@pytest.mark.parametrize("variable", ["NEON_API_KEY", "AURA_CLIENT_SECRET", "AURA_API_TOKEN"])
def test_a_credential_cannot_be_sent(place: Place, variable: str) -> None:
    """A line break has no place in a header: who says so may show the header."""
    place.forget_tokens()
    place.workspace.environment[variable] = f"{WRONG}\n{WRONG}"
    place.run(*REFRESH)


def test_the_passphrase_is_wrong(place: Place) -> None:
    place.workspace.environment["PULUMI_CONFIG_PASSPHRASE"] = WRONG
    place.run(*UP)
    place.check(tenantry(place, "url", APP))


def test_the_owners_password_is_wrong(place: Place) -> None:
    password = place.secrets[f"databasePassword of {APP}"]
    with psycopg.connect(owner_url(place), autocommit=True) as owner:
        owner.execute("ALTER ROLE tenant_acme__web__owner PASSWORD 'of somebody else'")
        place.write(LIMIT="30")
        place.run(*UP)
        owner.execute(f"ALTER ROLE tenant_acme__web__owner PASSWORD '{password}'")


def test_a_password_cannot_be_changed(place: Place) -> None:
    """The statement that fails has the password in it."""
    with psycopg.connect(owner_url(place), autocommit=True) as owner:
        owner.execute("ALTER ROLE tenant_acme__web__login_a RENAME TO elsewhere")
        place.write(GENERATION="3")
        place.run(*UP)
        place.learn()
        place.run(*UP)
        owner.execute("ALTER ROLE elsewhere RENAME TO tenant_acme__web__login_a")


def test_neons_answer_is_no_project(place: Place) -> None:
    """What upstream's code relies on is missing from it: the plugin may find nothing, or crash."""
    place.write()
    place.neon.order("GET */projects/*", 200, "error")
    place.check(place.workspace.pulumi(*REFRESH, *LOUDLY))
    assert place.neon.answered


def test_secrets_of_the_configuration_are_kept_as_well(place: Place) -> None:
    """The same from the stack's own settings in place of the environment."""
    environment = place.workspace.environment
    settings = {
        "neon:apiKey": environment.pop("NEON_API_KEY"),
        "tenantry:auraClientSecret": environment.pop("AURA_CLIENT_SECRET"),
        "tenantry:catalogUrl": environment.pop("TENANTRY_CATALOG_URL"),
    }
    place.secrets["catalog url"] = settings["tenantry:catalogUrl"]
    for name, value in settings.items():
        done = subprocess.run(
            ["pulumi", "config", "set", "--secret", name, "--non-interactive"],
            cwd=place.workspace.folder,
            env=environment,
            input=value,
            text=True,
            capture_output=True,
            check=True,
            timeout=60,
        )
        place.check(Finished(done.returncode, done.stdout, done.stderr))
    place.write(LIMIT="25", GENERATION="3")
    run = place.workspace.pulumi("up", "--yes", "--diff", *LOUDLY)
    assert run.code == 0, run.said
    place.check(run)
    place.neon.order("GET *", 401)
    place.run(*REFRESH)
