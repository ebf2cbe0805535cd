"""What must hold of the workflows for GitHub, whoever edits them."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.github_server import REPOSITORY, GitHubServer
from tests.workflows import FOLDER, NAMES, Runner, workflow

SECRETS = re.compile(r"\$\{\{[^}]*\b(secrets\.\w+|github\.token)")


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, job) for name in NAMES for key, job in workflow(name)["jobs"].items()]


def steps() -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, step) for name, key, job in jobs() for step in job["steps"]]


def test_every_workflow_is_looked_at() -> None:
    assert sorted(each.stem for each in FOLDER.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_commit_with_its_version_beside(name: str) -> None:
    text = (FOLDER / f"{name}.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert used
    for each in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_allowed_that_no_job_asks_for(name: str) -> None:
    whole = workflow(name)
    assert whole["permissions"] == {}
    assert "pull_request_target" not in whole["on"]
    assert "workflow_run" not in whole["on"]


def test_each_job_has_the_least_permissions_and_an_end() -> None:
    assert {(name, key): job["permissions"] for name, key, job in jobs()} == {
        ("pull-request", "validate"): {"contents": "read"},
        ("pull-request", "plan"): {"contents": "read", "pull-requests": "write"},
        ("apply", "plan"): {"contents": "read"},
        ("apply", "apply"): {"contents": "read", "actions": "read", "pull-requests": "read"},
        ("drift", "drift"): {"contents": "read", "issues": "write"},
    }
    assert all(0 < job["timeout-minutes"] <= 240 for _, _, job in jobs())


def test_secrets_are_given_to_single_steps_only_and_never_in_a_script() -> None:
    for name, key, job in jobs():
        for each in (workflow(name).get("env", {}), job.get("env", {})):
            assert not SECRETS.search(str(each)), (name, key)
    for name, key, step in steps():
        assert "${{" not in step.get("run", ""), (name, key, step["name"])
        holds = set(SECRETS.findall(str(step.get("env", {}))))
        if step.get("name") in {"Plan", "Apply", "Look"}:
            assert "secrets.NEON_API_KEY" in holds
            assert "github.token" not in holds
        elif step.get("name") == "Release the lock":
            assert "secrets.PULUMI_BACKEND_URL" in holds
            assert not holds & {"secrets.NEON_API_KEY", "secrets.PULUMI_CONFIG_PASSPHRASE"}
        elif step.get("name", "") in {"Comment", "Fetch the plan"} or "issue" in step.get(
            "name", ""
        ):
            assert holds == {"github.token"}
        else:
            assert not holds, (name, key, step)


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for _, _, step in steps() if "checkout" in step.get("uses", "")]
    assert len(checkouts) == len(jobs())
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_script_is_never_given_what_an_author_wrote() -> None:
    for name in NAMES:
        for found in re.findall(
            r"github\.(?:event\.\S+|head_ref)", (FOLDER / f"{name}.yml").read_text()
        ):
            assert found in {
                "github.event.pull_request.number",
                "github.event.pull_request.head.sha",
                "github.event.pull_request.head.repo.full_name",
                "github.event.pull_request.user.login",
            }


def test_applies_come_one_after_another_and_none_is_ended_for_the_next() -> None:
    apply = workflow("apply")["jobs"]["apply"]
    assert apply["concurrency"] == {
        "group": "tenantry-apply-${{ vars.PULUMI_STACK }}",
        "cancel-in-progress": False,
    }
    assert apply["environment"] == "tenantry"
    (run,) = (step["run"] for step in apply["steps"] if step.get("name") == "Apply")
    assert run.startswith("exec ")
    last = apply["steps"][-1]
    assert (last["name"], last["if"]) == ("Release the lock", "always()")


@pytest.mark.parametrize(
    ("repository", "author", "runs"),
    [
        (REPOSITORY, "ann", "plan"),
        ("mallory/platform", "mallory", "validate"),
        (REPOSITORY, "dependabot[bot]", "validate"),
    ],
)
def test_a_fork_gets_no_more_than_a_validation(
    tmp_path: Path, repository: str, author: str, runs: str
) -> None:
    event = {
        "pull_request": {
            "number": 7,
            "user": {"login": author},
            "head": {"sha": "h1", "repo": {"full_name": repository}},
        }
    }
    checkout = tmp_path / "checkout"
    (checkout / "ci").mkdir(parents=True)
    script = checkout / "ci" / "tenantry-ci"
    script.write_text('#!/bin/sh\necho "$*" "${NEON_API_KEY:-nothing}" >> calls\n')
    script.chmod(0o755)
    (checkout / ".tenantry/ci").mkdir(parents=True)
    (checkout / ".tenantry/ci/plan.json").write_text("{}")
    server = GitHubServer()
    runner = Runner(
        checkout,
        server,
        {"event_name": "pull_request", "event": event, "sha": "m1", "run_id": "1"},
        {"PULUMI_STACK": "prod"},
        {"NEON_API_KEY": "napi_of-a-test"},
        {"PATH": "/usr/bin:/bin"},
    )
    skipped = {job: runner.run("pull-request", job).skipped for job in ("validate", "plan")}
    assert skipped == {"validate": runs != "validate", "plan": runs != "plan"}
    calls = (checkout / "calls").read_text().splitlines()
    if runs == "validate":
        assert calls == ["validate nothing"]
        assert server.artifacts == []
    else:
        assert calls == ["setup nothing", "pr napi_of-a-test"]
        assert [each["name"] for each in server.artifacts] == ["tenantry-plan-prod-h1"]


@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_only_main_is_applied(tmp_path: Path, event: str) -> None:
    github = {"event_name": event, "sha": "m1", "ref": "refs/heads/feature", "run_id": "1"}
    runner = Runner(tmp_path, GitHubServer(), github, {}, {}, {})
    assert runner.run("apply", "plan").skipped
    assert runner.run("apply", "apply", needs={"plan": "skipped"}).skipped
