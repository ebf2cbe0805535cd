from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from tenantry.neon.client import NeonApi
from tenantry.recovery.prerequisites import Check, Prerequisites, is_up, look_around
from tests.unit.recovery.project import Project, held


class Neon:
    """Answers with a status and a time."""

    status = 200
    ahead = timedelta()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params["limit"] == "1"
        now = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        body = {"projects": [], "message": "no"}
        return httpx.Response(self.status, json=body, headers={"date": now})


@pytest.fixture
def neon(monkeypatch: pytest.MonkeyPatch) -> Neon:
    made = Neon()
    monkeypatch.setattr(
        "tenantry.neon.looking.NeonApi",
        lambda **_: NeonApi(api_key="k", transport=httpx.MockTransport(made)),
    )
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path)
    monkeypatch.chdir(tmp_path)
    made.pulumi.answers("version", out="v3.999.0\n")
    made.environment |= {"PULUMI_CONFIG_PASSPHRASE": "p", "NEON_API_KEY": "k"}
    return made


def checks(project: Project, **variables: str) -> dict[str, Check]:
    found = Prerequisites(project.folder, project.environment | variables).check()
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def test_before_anything_is_up_everything_is_looked_at(project: Project, neon: Neon) -> None:
    found = checks(project)
    plugins = found.pop("plugins")
    assert plugins.ok or plugins.command == "tenantry engine"
    assert all(each.ok for each in found.values()), found
    assert found["engine"].text.startswith("pulumi 3.999.0, ")
    assert found["stack"].text == "dev, which is not there yet"
    assert found["registry"].text == "tenants.yaml: 1 app"
    assert found["Neon"].text == "org, which the credentials see"
    assert neon.status == 200


@pytest.mark.parametrize("said", ["", "v3.100.0\n", "not a version\n"])
def test_an_engine_that_is_none_or_too_old_is_put_in_place(
    project: Project, neon: Neon, said: str
) -> None:
    assert neon
    project.pulumi.answers("version", out=said)
    found = checks(project)
    assert (found["engine"].ok, found["engine"].command) == (False, "tenantry engine")
    # Nothing that rests on it is asked.
    assert "stack" not in found
    assert found["Neon"].ok


def test_states_that_cannot_be_reached_are_said(project: Project, neon: Neon) -> None:
    assert neon
    found = checks(project, PULUMI_BACKEND_URL="postgres://127.0.0.1:1/states")
    assert not found["states"].ok
    assert "stack" not in found


def test_a_passphrase_is_set_or_asked_for(project: Project, neon: Neon, tmp_path: Path) -> None:
    assert neon
    del project.environment["PULUMI_CONFIG_PASSPHRASE"]
    missing = checks(project)["passphrase"]
    assert (missing.ok, "PULUMI_CONFIG_PASSPHRASE_FILE" in missing.command) == (False, True)
    file = tmp_path / "passphrase"
    named = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}
    assert "cannot be read" in checks(project, **named)["passphrase"].text
    file.write_text("\n")
    assert "is empty" in checks(project, **named)["passphrase"].text
    file.write_text("secret\n")
    found = checks(project, **named)["passphrase"]
    assert (found.ok, "secret" in found.text) == (True, False)
    # Another way to encrypt needs none.
    (tmp_path / "Pulumi.dev.yaml").write_text("secretsprovider: awskms://alias/t?region=x\n")
    assert checks(project)["passphrase"].text == "not needed: the secrets are encrypted with awskms"


def test_a_stack_that_is_there_must_open_with_the_passphrase(project: Project, neon: Neon) -> None:
    assert neon
    project.write_state(held())
    project.pulumi.answers("stack output", out="{}")
    assert checks(project)["passphrase"].text == "opens the stack's secrets"
    project.pulumi.answers("stack output", err="error: incorrect passphrase\n", code=255)
    assert not checks(project)["passphrase"].ok
    assert is_up(project.folder) is False


def test_neon_refuses_a_key_or_an_organization(project: Project, neon: Neon) -> None:
    neon.status = 401
    found = checks(project)
    assert (found["Neon"].ok, "is NEON_API_KEY right?" in found["Neon"].text) == (False, True)
    assert found["clock"].text == "no cloud told its time"
    neon.status = 404
    assert "there is no organization org" in checks(project)["Neon"].text


@pytest.mark.parametrize(("seconds", "said"), [(600, "behind"), (-600, "ahead of")])
def test_a_clock_that_is_wrong_is_said(
    project: Project, neon: Neon, seconds: int, said: str
) -> None:
    neon.ahead = timedelta(seconds=seconds)
    clock = checks(project)["clock"]
    assert (clock.ok, f"{said} the clouds'" in clock.text) == (False, True)
    assert "timedatectl" in clock.command


def test_a_registry_that_is_not_valid_is_one_line(project: Project, neon: Neon) -> None:
    assert neon
    (project.folder / "tenants.yaml").write_text("version: 1\ntenants: {A: 1, B: 2}\n")
    found = checks(project)["registry"]
    assert (found.ok, found.command, found.text.count("\n")) == (False, "tenantry validate", 0)


def test_a_catalog_is_connected_to(project: Project, neon: Neon) -> None:
    assert neon
    nowhere = "postgresql://u:geheim@127.0.0.1:1/catalog"
    found = checks(project, TENANTRY_CATALOG_URL=nowhere)["catalog"]
    assert (found.ok, "geheim" in found.text) == (False, False)


def test_graphs_ask_for_auras_credentials(project: Project, neon: Neon) -> None:
    assert neon
    text = (project.folder / "tenants.yaml").read_text()
    graph = "graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}"
    (project.folder / "tenants.yaml").write_text(text.replace("deletion:", f"{graph}, deletion:"))
    assert not checks(project)["Aura"].ok


def test_a_local_cloud_that_is_down_is_started_by_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: t\nconfig: {'tenantry:cloud': local}\n")
    (tmp_path / "tenants.yaml").write_text("version: 1\ntenants: {}\n")
    around = look_around(tmp_path)
    assert (around.is_whole, around.is_up) == (False, False)
    assert around.checks[-1] == Check(
        "local cloud", ok=False, text="is not running", command="tenantry up"
    )
