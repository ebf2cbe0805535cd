import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenantry.catalog.session import NOT_CONFIGURED
from tenantry.cli import app
from tests.fake_pulumi import scripted

RUN = CliRunner()
ROOT = Path(__file__).parents[2]
REGISTRY = """\
version: 1
defaults:
  environment: staging
  region: us-east-1
  api_keys: &shared [{name: shared}]
tenants:
  acme:
    apps:
      web:
        api_keys:
          - {name: default, generation: 2} # the web app
          - {name: old, expires: 2020-02-29}
      api: {}
"""
KEYS = {
    "acme/web": {"default": {"2": "key-two", "10": "key-ten"}, "gone": {}},
}
NO_SETTING = "echo '{}'; exit 0"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stack holds keys and names no catalog."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").touch()
    (folder / "tenants.yaml").write_text(REGISTRY)
    answer = json.dumps({"apiKeys": KEYS})
    environment = scripted(
        tmp_path,
        f"[ $1 = config ] && {{ {NO_SETTING}; }}\n"
        f"case \"$*\" in *--show-secrets*) echo '{answer}';; *) exit 9;; esac\n",
    )
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///nowhere")
    monkeypatch.delenv("TENANTRY_CATALOG_URL", raising=False)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("command", ["list", "show", "verify", "rotate", "revoke"])
def test_every_command_explains_itself_and_its_exit_code(command: str) -> None:
    said = RUN.invoke(app, ["keys", command, "--help"]).stdout
    assert "Exit code" in said
    assert "--json" in said


def test_the_newest_generation_of_a_key_is_shown_unless_another_is_named() -> None:
    assert RUN.invoke(app, ["keys", "show", "acme/web", "default"]).stdout == "key-ten\n"
    one = RUN.invoke(app, ["keys", "show", "acme/web", "default", "--generation", "2", "--json"])
    assert json.loads(one.stdout) == {
        "app": "acme/web",
        "name": "default",
        "generation": 2,
        "key": "key-two",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["acme/wbe", "default"],
            'the stack holds no API keys of an app "acme/wbe" (did you mean "acme/web"?)',
        ),
        (
            ["acme/web", "defualt"],
            'the stack holds no API key "defualt" of acme/web (did you mean "default"?)',
        ),
        (
            ["acme/web", "default", "--generation", "1"],
            "the stack does not hold generation 1 of default of acme/web: it holds 2, 10",
        ),
        (
            ["acme/web", "gone"],
            "the stack does not hold generation 0 of gone of acme/web: it holds none: every one is revoked",
        ),
    ],
)
def test_a_key_that_the_stack_does_not_hold(arguments: list[str], said: str) -> None:
    result = RUN.invoke(app, ["keys", "show", *arguments])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{said}\n")


def test_a_rotation_is_a_diff_on_standard_output_and_changes_nothing(project: Path) -> None:
    result = RUN.invoke(app, ["keys", "rotate", "acme/web", "default"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["--- a/tenants.yaml", "+++ b/tenants.yaml"]
    assert "+          - {name: default, generation: 3} # the web app\n" in result.stdout
    assert result.stderr == (
        "Next: tenantry up, which makes generation 3 and ends generation 1; then tenantry keys show acme/web default\n"
    )
    assert (project / "tenants.yaml").read_text() == REGISTRY


def test_a_rotation_is_written_on_demand(project: Path) -> None:
    result = RUN.invoke(app, ["keys", "rotate", "acme/web", "default", "--write"])
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("tenants.yaml: changed\n")
    after = REGISTRY.replace("generation: 2", "generation: 3")
    assert (project / "tenants.yaml").read_text() == after


def test_a_rotation_for_programs(project: Path) -> None:
    (project / "tenants.yaml").rename(project / "other.yaml")
    result = RUN.invoke(app, ["keys", "rotate", "acme/web", "default", "other.yaml", "--json"])
    answer = json.loads(result.stdout)
    assert answer.pop("diff").startswith("--- a/other.yaml\n")
    assert answer == {
        "app": "acme/web",
        "name": "default",
        "generation": 3,
        "file": "other.yaml",
        "written": False,
    }


def test_rotating_a_key_that_has_expired_says_that_the_new_one_has_too() -> None:
    result = RUN.invoke(app, ["keys", "rotate", "acme/web", "old"])
    assert "acme/web old expired with 2020-02-29, and so will the new key" in result.stderr


@pytest.mark.parametrize("command", ["rotate", "revoke"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["acme/web", "defualt"], "tenants.yaml:9: acme/web has no API key 'defualt': it has"),
        (["acme/ipa", "default"], 'tenants.yaml: no app "acme/ipa" in the registry'),
        (["acme/api", "shared"], "tenants.yaml:13: the API keys of acme/api are not written there"),
        (["acme/web", "default", "none.yaml"], "none.yaml: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_changed_is_one_line(command: str, arguments: list[str], said: str) -> None:
    result = RUN.invoke(app, ["keys", command, *arguments, "--json"])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(said)


def test_without_a_catalog_only_the_registry_is_changed_and_that_is_said(project: Path) -> None:
    result = RUN.invoke(
        app, ["keys", "revoke", "acme/web", "default", "--generation", "1", "--write"]
    )
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"acme/web default, generation 1: {NOT_CONFIGURED}; nothing was revoked there",
        "tenants.yaml: changed",
        "Next: tenantry up takes the change over",
    ]
    after = REGISTRY.replace("generation: 2", "generation: 2, revoked: [1]")
    assert (project / "tenants.yaml").read_text() == after


def test_where_two_generations_are_valid_one_has_to_be_named(project: Path) -> None:
    result = RUN.invoke(app, ["keys", "revoke", "acme/web", "default", "--write"])
    assert result.exit_code == 1
    assert result.stderr == (
        "acme/web default: 2 generations are valid: say which to revoke, --generation 1 or --generation 2, or several\n"
    )
    assert (project / "tenants.yaml").read_text() == REGISTRY
    both = ["--generation", "1", "--generation", "2"]
    result = RUN.invoke(app, ["keys", "revoke", "acme/web", "default", *both])
    assert "revoked: [1, 2]" in result.stdout


@pytest.mark.parametrize("generation", ["3", "4"])
def test_a_generation_that_is_not_there_is_not_revoked(project: Path, generation: str) -> None:
    arguments = ["acme/web", "default", "--generation", generation, "--write"]
    result = RUN.invoke(app, ["keys", "revoke", *arguments])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"has no generation {generation}: write one from 1 to 2" in result.stderr
    assert (project / "tenants.yaml").read_text() == REGISTRY


@pytest.mark.parametrize("command", ["list", "verify"])
def test_without_a_catalog_nothing_is_listed_or_verified(command: str) -> None:
    result = RUN.invoke(app, ["keys", command], input="acme--default_1_2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("no catalog is configured: set TENANTRY_CATALOG_URL")


def test_no_key_is_no_verdict() -> None:
    result = RUN.invoke(app, ["keys", "verify"], input="\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "no key was given: pipe it in, or type it at the prompt\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["acme--default_1_2"],
        ["acme--default_1_2", "--json"],
        ["--acme--default_1_2"],
        ["--json", "--", "acme--default_1_2"],
        ["x", "acme--default_1_2"],
    ],
)
def test_a_key_among_the_arguments_is_not_repeated_and_the_way_in_is_said(
    arguments: list[str],
) -> None:
    result = RUN.invoke(app, ["keys", "verify", *arguments])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("a key is read from standard input, and not from an argument")
    assert "default_1_2" not in result.stderr


def test_a_stack_that_cannot_be_read_revokes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    result = RUN.invoke(
        app, ["keys", "revoke", "acme/web", "default", "--generation", "1", "--write"]
    )
    assert result.exit_code == 1
    assert "there is no pulumi" in result.stderr
    assert (project / "tenants.yaml").read_text() == REGISTRY


def test_the_commands_cost_nothing_to_import() -> None:
    code = (
        "import sys, tenantry.commands.keys;"
        "print([m for m in ('pydantic', 'yaml', 'httpx', 'psycopg', 'alembic') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
