"""`tenantry ci` over an engine that is a script, and a server that keeps what GitHub keeps."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tenantry.cli import app
from tenantry.planning.keeping import read_plan
from tests.github_server import REPOSITORY, TOKEN, GitHubServer, github_server
from tests.unit.commands.engine import LOCKED, Engine, changed
from tests.unit.planning import support
from tests.unit.planning.support import END, PROJECT, application, said
from tests.unit.recovery.project import Project

RUN = CliRunner()
WEB = support.app()
REGISTRY = """\
version: 1
tenants:
  acme:
    contact: ops
    apps:
      web: {environment: staging, region: aws-us-east-2}
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///nowhere")
    monkeypatch.setenv("PULUMI_STACK", "prod")
    (tmp_path / "tenants.yaml").write_text(REGISTRY)
    made = Engine(tmp_path)
    monkeypatch.setenv("PATH", made.pulumi.path)
    return made


@pytest.fixture
def on_github(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The summary of a step on GitHub, in a repository whose project is in a folder of it."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(engine.folder.parent))
    summary = engine.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    event = engine.folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "f" * 40}}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    return summary


def ci(*arguments: str) -> Result:
    return RUN.invoke(app, ["ci", *arguments])


def comment() -> str:
    return Path(".tenantry/ci/comment.md").read_text()


def test_changes_are_in_comment_plan_and_annotations(engine: Engine) -> None:
    engine.answers(changed())
    result = ci("pr")
    assert result.exit_code == 2
    assert comment().startswith("<!-- tenantry:plan prod -->\n### Apps: 1 to update, 0 unchanged.")
    assert read_plan(Path(".tenantry/ci/plan.json")).summary.update == 1
    last = result.stdout.splitlines()[-1]
    assert last.startswith("tenants.yaml:4:5: notice: acme/web: update: tenants.acme.contact: ")


def test_nothing_to_do_has_a_comment_and_a_plan_too(engine: Engine) -> None:
    engine.answers(application(WEB, WEB))
    assert ci("pr").exit_code == 0
    assert "### No changes" in comment()
    assert not read_plan(Path(".tenantry/ci/plan.json")).rows


def test_an_invalid_registry_starts_no_engine(engine: Engine, on_github: Path) -> None:
    engine.answers(changed())
    ci("pr")
    before = len(engine.calls)
    Path("tenants.yaml").write_text(REGISTRY.replace("staging", '"::error::%0A@org"'))
    result = ci("pr")
    assert (result.exit_code, len(engine.calls)) == (1, before)
    assert "### " in comment()
    assert "tenants.yaml has 1 problem: nothing was planned." in comment()
    # The plan of the run before must not pass for this one's.
    assert not Path(".tenantry/ci/plan.json").exists()
    (line,) = result.stdout.splitlines()
    assert line.startswith(f"::error file={engine.folder.name}/tenants.yaml,line=6,col=26,title=")
    assert "%25" in line
    assert comment() in on_github.read_text()


def test_a_refusal_is_said_and_no_plan_is_kept(engine: Engine) -> None:
    engine.answers(
        [said("error", "tenants.yaml: acme/web is protected: put it back"), END], code=255
    )
    result = ci("pr")
    assert result.exit_code == 1
    assert "### Refused for 1 reason" in comment()
    assert not Path(".tenantry/ci/plan.json").exists()
    assert result.stdout.splitlines()[-1] == (
        "tenants.yaml:6:7: error: acme/web: acme/web is protected: put it back"
    )


def test_a_plan_that_cannot_be_made_is_said_in_the_comment(engine: Engine) -> None:
    engine.pulumi.answers("preview", err="error: no stack named prod\n", code=255)
    result = ci("pr")
    assert result.exit_code == 1
    assert "The plan could not be made." in comment()
    assert "no stack named prod" in comment()
    assert "no stack named prod" in result.stdout


def test_on_github_the_runner_obeys_nothing_of_what_is_planned(
    engine: Engine, on_github: Path
) -> None:
    hostile = "::add-mask::x @org/all <!-- tenantry:plan prod -->"
    engine.answers(changed(contact=hostile))
    result = ci("pr")
    lines = result.stdout.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert lines[-2] == f"::{token}::"
    assert hostile in "\n".join(lines[1:-2])
    assert lines[-1].startswith(f"::notice file={engine.folder.name}/tenants.yaml,line=4,col=5,")
    assert lines[-1].count("\n") == 0
    text = comment()
    assert text.count("\n<!-- tenantry") == 0
    block = text[text.index("```text") : text.rindex("```")]
    assert hostile in block
    assert text.count(hostile) == 1
    assert f"commit {'f' * 40}" in text
    assert text in on_github.read_text()


def test_json_is_one_object(engine: Engine) -> None:
    engine.answers(changed())
    result = ci("pr", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["exit_code"], found["folder"]) == (2, 2, ".tenantry/ci")
    assert found["annotations"][0]["title"] == "acme/web: update"


def test_a_forks_registry_is_validated_without_an_engine(engine: Engine) -> None:
    assert ci("validate").stdout == "tenants.yaml: 1 app: valid\n"
    Path("tenants.yaml").write_text(REGISTRY.replace("staging", "stagin"))
    result = ci("validate")
    assert (result.exit_code, engine.calls) == (1, [])
    assert result.stdout.startswith("tenants.yaml:6:26: error: tenants.acme.apps.web.environment: ")


def test_drift_is_exit_code_3_and_an_issue(engine: Engine) -> None:
    facts = {"urn": support.urn(PROJECT, "acme/web"), "type": PROJECT, "old": {"custom": True}}
    engine.answers(
        [
            {"resourcePreEvent": {"metadata": facts | {"op": "refresh", "new": {"custom": True}}}},
            {"resOutputsEvent": {"metadata": facts | {"op": "delete", "new": None}}},
        ]
    )
    result = ci("drift")
    assert result.exit_code == 3, result.stdout
    text = Path(".tenantry/ci/issue.md").read_text()
    assert text.startswith("<!-- tenantry:drift prod -->\n### Drift: 1 of 1 resources")
    engine.answers(application(WEB, WEB))
    assert ci("drift").exit_code == 0
    assert Path(".tenantry/ci/issue.md").read_text().startswith("<!-- tenantry:no-drift prod -->")


@pytest.fixture
def keeper(
    on_github: Path,  # noqa: ARG001  # its variables
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[GitHubServer]:
    with github_server() as keeper:
        keeper.permissions = {"pull-requests": "write", "issues": "write", "actions": "read"}
        monkeypatch.setenv("GITHUB_API_URL", keeper.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield keeper


def test_comment_and_issue_are_written(engine: Engine, keeper: GitHubServer) -> None:
    assert "tenantry ci pr" in ci("github", "comment").stderr
    engine.answers(changed())
    ci("pr")
    assert ci("github", "comment").stdout.startswith("comment: made: http")
    assert json.loads(ci("github", "comment", "--json").stdout)["done"] == "unchanged"
    assert len(keeper.of(7)) == 1
    engine.answers(application(WEB, WEB))
    ci("drift")
    assert ci("github", "issue").stdout == "issue: none\n"


def test_a_run_of_no_pull_request_must_be_told_its_number(
    engine: Engine, keeper: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answers(changed())
    ci("pr")
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    result = ci("github", "comment")
    assert (result.exit_code, result.stderr[:9]) == (1, "--number:")
    assert ci("github", "comment", "--number", "9").exit_code == 0
    assert len(keeper.of(9)) == 1


def test_the_plan_is_fetched_for_the_merge_and_for_a_run_by_hand(
    keeper: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.pulls[7] = {
        "number": 7,
        "merged_at": "2026-11-22T12:00:00Z",
        "merge_commit_sha": "m1",
        "head": {"sha": "h1"},
    }
    keeper.keep("tenantry-plan-prod-h1", b"reviewed", run=1, head="h1")
    keeper.keep("tenantry-plan-prod-m1", b"by hand", run=2, head="m1")
    monkeypatch.setenv("GITHUB_SHA", "m1")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    assert ci("github", "plan").exit_code == 0
    plan = Path(".tenantry/ci/plan.json")
    assert plan.read_text() == "reviewed"
    monkeypatch.setenv("GITHUB_EVENT_NAME", "workflow_dispatch")
    monkeypatch.setenv("GITHUB_RUN_ID", "2")
    ci("github", "plan")
    assert plan.read_text() == "by hand"
    monkeypatch.setenv("GITHUB_RUN_ID", "3")
    result = ci("github", "plan")
    assert (result.exit_code, plan.exists()) == (1, False)
    assert "run 3 kept no plan" in result.stderr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder, with nothing to do."""
    made = Project(tmp_path)
    (tmp_path / "__main__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.pulumi.tells("preview")
    made.pulumi.answers("up")
    made.write_state()
    return made


def locks(project: Project) -> list[Path]:
    return sorted(project.state_folder.rglob("locks/**/*.json"))


def test_a_lock_that_the_own_run_left_is_released_and_no_other(project: Project) -> None:
    foreign: dict[str, Any] = {"hostname": "build-7", "pid": 4711}
    template = json.dumps(
        {
            "pid": 0,
            "username": "ann",
            "hostname": os.uname().nodename,
            "timestamp": "2026-11-22T10:00:00.5+01:00",
        }
    )
    folder = project.state_folder / ".pulumi/locks/organization/tenantry/dev"
    locks_it = f"mkdir -p {folder}; echo '{template}' | sed \"s/: 0/: $PID/\" > {folder}/own.json"
    project.pulumi.answers("up", script=locks_it, code=137)
    applied = ci("apply")
    assert applied.exit_code == 1
    assert "::error title=tenantry up::" in applied.stdout
    dead = project.write_lock()
    elsewhere = project.write_lock(**foreign)
    assert (folder / "own.json") in locks(project)

    result = ci("release", "--json")
    assert result.exit_code == 0, result.output
    (released,) = json.loads(result.stdout)["released"]
    assert released["stack"] == "dev"
    assert locks(project) == sorted([dead, elsewhere])
    assert ci("release").stdout == "no lock of a run of this folder is left\n"


def test_a_run_that_came_between_the_look_and_the_engine_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pulumi.answers("up", err=LOCKED, code=255)
    refused = ci("apply")
    assert refused.exit_code == 1
    assert "lock [dev] dev: held by ann@build-7 (pid 7) for " in refused.output
    monkeypatch.setattr(
        "tenantry.commands.converging.time.sleep", lambda _: project.pulumi.answers("up")
    )
    done = ci("apply", "--wait", "forever")
    assert done.exit_code == 0, done.output
    assert "waiting: lock [dev] dev: held by ann@build-7 (pid 7) for " in done.output
    assert ci("release").stdout == "no lock of a run of this folder is left\n"


def test_a_run_that_is_at_work_keeps_its_lock(project: Project) -> None:
    own = project.write_lock(pid=os.getpid())
    file = Path(".tenantry/ci/run.json")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"host": os.uname().nodename, "pid": os.getpid(), "stack": "dev"}))
    result = ci("release", "--wait", "0.3")
    assert (result.exit_code, own.exists(), file.exists()) == (1, True, True)
    assert "is still at work: its lock stays" in result.stderr


def test_a_run_of_another_machine_is_not_judged(project: Project) -> None:
    file = Path(".tenantry/ci/run.json")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"host": "build-7", "pid": 4711, "stack": "dev"}))
    lock = project.write_lock(hostname="build-7", pid=4711)
    result = ci("release")
    assert (result.exit_code, lock.exists()) == (1, True)
    assert "was on build-7" in result.stderr


@pytest.mark.usefixtures("project")
def test_where_locks_cannot_be_read_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    file = Path(".tenantry/ci/run.json")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"host": os.uname().nodename, "pid": 2**22 + 1, "stack": "dev"}))
    result = ci("release")
    assert result.exit_code == 1
    assert "locks cannot be read here" in result.stderr
    assert "delete that one file" in result.stderr


@pytest.mark.usefixtures("project")
def test_a_run_that_succeeded_has_released_its_lock_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ci("apply").exit_code == 0
    # Also where nobody can look.
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    result = ci("release")
    assert (result.exit_code, result.stdout) == (0, "no lock of a run of this folder is left\n")
