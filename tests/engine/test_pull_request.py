"""A team's repository on a bare remote: pull requests of each kind, reviewed and applied by the workflows' own steps.

GitHub is a small server that keeps comments, issues and artifacts. Each job runs in a fresh clone.
The tests follow one another: what one of them merges, the next one starts from.
"""

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.workspace import REPOSITORY as PROJECT
from tests.engine.workspace import Workspace, projects
from tests.github_server import BOT, REPOSITORY, GitHubServer, github_server
from tests.localcloud_fixture import LocalCloud
from tests.workflows import Job, Runner, machine

HOSTILE = (
    '"::error file=x::@org/all <img src=x> ``` | [a](javascript:b) <!-- tenantry:plan test -->%0A"'
)
WEB = """\
web:
  environment: development
  region: aws-us-east-2
  database:
    extensions: [citext, pg_trgm]
    compute: {max_cu: 1}
  deletion: delete
"""
API = """\
api:
  environment: development
  region: aws-us-east-2
  deletion: delete
"""
CHANGED = WEB.replace("max_cu: 1}", "max_cu: 2}\n    credentials: {generation: 2}")
MOVED = WEB.replace("aws-us-east-2", "aws-us-west-2")
OTHER = HOSTILE.replace("@org", "@other")
SECRETS = ("NEON_API_KEY", "TENANTRY_CATALOG_URL", "AURA_CLIENT_SECRET")
VARIABLES = ("NEON_ORG_ID", "AURA_CLIENT_ID", "AURA_TENANT_ID")


def registry(*apps: str, contact: str = HOSTILE) -> str:
    head = f"version: 1\nnamespace: review\ntenants:\n  acme:\n    contact: {contact}\n    apps:\n"
    return head + textwrap.indent("".join(apps), " " * 6)


@dataclass
class PullRequest:
    number: int
    branch: str
    head: str


class Team:
    """The repository, and everything that GitHub does with it."""

    def __init__(self, folder: Path, cloud: LocalCloud, server: GitHubServer) -> None:
        self.stack = Workspace(folder / "stack", cloud.env())
        self.cloud = cloud
        self.server = server
        self.folder = folder
        self.remote = folder / "remote.git"
        self.work = folder / "work"
        self.machines = 0
        self.given = {
            **cloud.env(),
            "PULUMI_BACKEND_URL": self.stack.environment["PULUMI_BACKEND_URL"],
            "PULUMI_CONFIG_PASSPHRASE": self.stack.environment["PULUMI_CONFIG_PASSPHRASE"],
            "PULUMI_STACK": "test",
        }
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", self.remote)
        self.git(folder, "clone", "--quiet", self.remote, self.work)
        for name in ("Pulumi.yaml", "__main__.py", ".gitignore", "ci/tenantry-ci"):
            (self.work / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, self.work / name)
        shutil.copy(self.stack.folder / "Pulumi.test.yaml", self.work)
        # The machine has the engine and the packages already.
        (self.work / "Makefile").write_text("engine:\n\t@test -x .venv/bin/pulumi\n")
        (self.work / "tenants.yaml").write_text("version: 1\nnamespace: review\ntenants: {}\n")
        self.commit("main", "The platform")

    def git(self, folder: Path, *arguments: str | Path) -> str:
        identity = ("-c", "user.name=ann", "-c", "user.email=ann@acme.example")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, branch: str, message: str) -> str:
        self.git(self.work, "add", "--all")
        self.git(self.work, "commit", "--quiet", "--message", message)
        self.git(self.work, "push", "--quiet", "--force", "origin", f"HEAD:{branch}")
        return self.git(self.work, "rev-parse", "HEAD")

    def propose(self, text: str) -> PullRequest:
        number = len(self.server.pulls) + 1
        branch = f"change-{number}"
        self.git(self.work, "switch", "--quiet", "--create", branch, "main")
        (self.work / "tenants.yaml").write_text(text)
        head = self.commit(branch, f"Change {number}")
        self.git(self.work, "switch", "--quiet", "main")
        self.server.pulls[number] = {
            "number": number,
            "merged_at": None,
            "merge_commit_sha": None,
            "head": {"sha": head},
        }
        return PullRequest(number, branch, head)

    def amend(self, pull_request: PullRequest, text: str) -> None:
        self.git(self.work, "switch", "--quiet", pull_request.branch)
        (self.work / "tenants.yaml").write_text(text)
        pull_request.head = self.commit(pull_request.branch, "Put right")
        self.server.pulls[pull_request.number]["head"]["sha"] = pull_request.head
        self.git(self.work, "switch", "--quiet", "main")

    def review(self, pull_request: PullRequest) -> Job:
        """Run the workflow of pull requests over what a merge would give, as the event does."""
        checkout = self.checkout("main")
        self.git(
            checkout, "merge", "--quiet", "--no-ff", "-m", "merge", f"origin/{pull_request.branch}"
        )
        merged = self.git(checkout, "rev-parse", "HEAD")
        event = {
            "pull_request": {
                "number": pull_request.number,
                "user": {"login": "ann"},
                "head": {"sha": pull_request.head, "repo": {"full_name": REPOSITORY}},
            }
        }
        runner = self.runner(checkout, "pull_request", merged, event)
        assert runner.run("pull-request", "validate").skipped
        return runner.run("pull-request", "plan")

    def merge(self, pull_request: PullRequest) -> str:
        """Squash it onto main, as the button does."""
        self.git(self.work, "merge", "--quiet", "--squash", pull_request.branch)
        commit = self.commit("main", f"Change {pull_request.number} (#{pull_request.number})")
        self.server.pulls[pull_request.number] |= {
            "merged_at": "2026-11-22T12:00:00Z",
            "merge_commit_sha": commit,
        }
        return commit

    def apply(self, commit: str) -> Job:
        """Run the workflow of applies over a push to main."""
        runner = self.runner(self.checkout(commit), "push", commit)
        assert runner.run("apply", "plan").skipped
        return runner.run("apply", "apply", needs={"plan": "skipped"})

    def apply_by_hand(self) -> tuple[Job, Job]:
        """Start the workflow of applies by hand, on main."""
        commit = self.git(self.work, "rev-parse", "main")
        run = self.runner(self.checkout(commit), "workflow_dispatch", commit)
        planned = run.run("apply", "plan")
        following = self.runner(self.checkout(commit), "workflow_dispatch", commit)
        following.environment["GITHUB_RUN_ID"] = run.environment["GITHUB_RUN_ID"]
        return planned, following.run("apply", "apply", needs={"plan": "success"})

    def look(self) -> Job:
        """Run the nightly workflow."""
        commit = self.git(self.work, "rev-parse", "main")
        return self.runner(self.checkout(commit), "schedule", commit).run("drift", "drift")

    def checkout(self, commit: str) -> Path:
        self.machines += 1
        folder = self.folder / f"machine-{self.machines}" / "platform"
        self.git(self.folder, "clone", "--quiet", self.remote, folder)
        self.git(folder, "checkout", "--quiet", commit)
        (folder / ".venv").symlink_to(PROJECT / ".venv")
        return folder

    def runner(
        self, checkout: Path, event_name: str, commit: str, event: dict[str, Any] | None = None
    ) -> Runner:
        run = str(self.machines)
        github = {
            "event_name": event_name,
            "sha": commit,
            "ref": "refs/heads/main",
            "run_id": run,
            "event": event or {},
        }
        notes = checkout.parent
        (notes / "event.json").write_text(json.dumps(event or {}))
        aside = {
            name: value
            for name, value in self.given.items()
            if name.startswith(("NEON_", "AURA_")) and name not in {*SECRETS, *VARIABLES}
        }
        return Runner(
            checkout,
            self.server,
            github,
            {name: self.given[name] for name in (*VARIABLES, "PULUMI_STACK")},
            {
                name: self.given[name]
                for name in (*SECRETS, "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")
            },
            {
                **machine(checkout),
                **aside,
                "GITHUB_API_URL": self.server.url,
                "GITHUB_REPOSITORY": REPOSITORY,
                "GITHUB_EVENT_NAME": event_name,
                "GITHUB_EVENT_PATH": str(notes / "event.json"),
                "GITHUB_SHA": commit,
                "GITHUB_RUN_ID": run,
                "GITHUB_STEP_SUMMARY": str(notes / "summary.md"),
            },
        )

    def comment(self, pull_request: PullRequest) -> str:
        """The one comment on a pull request, as it was written."""
        (body,) = self.server.of(pull_request.number)
        return body.replace("\r\n", "\n")

    def kept(self) -> dict[str, str]:
        """The project of each app that the stack holds, and its login's generation."""
        return {
            app: f"{facts['project']} {facts['generation']}"
            for app, facts in self.stack.outputs().get("apps", {}).items()
        }


def remarks(job: Job) -> list[tuple[str, str, str]]:
    """The annotations that GitHub's runner would take from the plan's output: level, line, title."""
    found: list[tuple[str, str, str]] = []
    stopped = ""
    for line in job.out("Plan").splitlines():
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif each := re.match(
            r"\s*::(\w+) file=tenants.yaml,line=(\d+),col=\d+,title=(.*?)::", line
        ):
            found.append((each[1], each[2], each[3].replace("%3A", ":")))
        else:
            assert not re.match(r"\s*::|.*##\[", line), line
    return found


@pytest.fixture(scope="module")
def team(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with github_server() as server:
        yield Team(tmp_path_factory.mktemp("team"), cloud, server)


def test_new_apps(team: Team) -> None:
    change = team.propose(registry(WEB, API))
    job = team.review(change)
    assert (job.code, job.ran()) == (0, ["Set up", "Plan", "Comment"])
    assert remarks(job) == [
        ("notice", "15", "acme/api: create"),
        ("notice", "8", "acme/web: create"),
    ]
    comment = team.comment(change)
    assert comment.startswith("<!-- tenantry:plan test -->\n### Apps: 2 to create, 0 unchanged.")
    assert f"Stack `test`, commit {change.head}." in comment
    assert [each["name"] for each in team.server.artifacts] == [f"tenantry-plan-test-{change.head}"]
    for secret in (*SECRETS, "PULUMI_CONFIG_PASSPHRASE"):
        assert team.given[secret] not in job.out("Plan") + comment

    done = team.apply(team.merge(change))
    assert done.code == 0, done.steps
    assert done.ran() == ["Set up", "Fetch the plan", "Apply", "Release the lock"]
    assert projects(team.cloud, "review--") == ["review--acme--api", "review--acme--web"]


def test_changes_are_applied_as_they_were_shown_and_a_plan_from_before_is_refused(
    team: Team,
) -> None:
    # Proposed before the other is merged.
    moves = team.propose(registry(MOVED, API))
    job = team.review(moves)
    assert (job.code, remarks(job)) == (0, [("warning", "9", "acme/web: replace")])
    assert "| `acme/web` | **replace** |" in team.comment(moves)
    assert "`project acme/web and all data in it`" in team.comment(moves)

    # A change, a rotation, an app that leaves; at first with mistakes.
    text = registry(CHANGED, contact=OTHER)
    kept = len(team.server.artifacts)
    change = team.propose(text.replace("development", "develop").replace("delete", "wrong"))
    job = team.review(change)
    assert (job.code, job.ran()) == (1, ["Set up", "Plan", "Comment"])
    assert [each[:2] for each in remarks(job)] == [("error", "8"), ("error", "14")]
    assert "### tenants.yaml has 2 problems: nothing was planned." in team.comment(change)
    assert len(team.server.artifacts) == kept
    team.amend(change, text)
    job = team.review(change)
    assert job.code == 0
    assert remarks(job) == [
        ("warning", "6", "acme/api: delete"),
        ("notice", "5", "acme/web: update"),
    ]
    comment = team.comment(change)
    assert "### Apps: 1 to delete, 1 to update, 0 unchanged." in comment
    assert "database.compute.max_cu: 1 → 2\n" in comment
    assert (
        "database.credentials.generation: 1 → 2, which moves the app to its other login" in comment
    )
    # Not Markdown, no mention, and not the mark of another comment: it is in a block, whose end it cannot write.
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", comment)
    assert "@other/all" in comment
    assert "@o" not in outside
    assert "<img" not in outside
    assert outside.count("<!--") == 1

    before = team.kept()["acme/web"]
    assert team.apply(team.merge(change)).code == 0
    assert team.kept() == {"acme/web": before.replace(" 1", " 2")}
    assert projects(team.cloud, "review--") == ["review--acme--web"]

    done = team.apply(team.merge(moves))
    assert (done.code, done.ran()[-1]) == (1, "Release the lock")
    said = done.out("Apply")
    assert re.search(
        r"plan.json: state: acme/api, acme/web.* was changed by a run since\n", said
    ), said
    assert "plan.json: nothing was applied" in said
    assert team.kept() == {"acme/web": before.replace(" 1", " 2")}

    # The way out that the docs name.
    planned, done = team.apply_by_hand()
    assert (planned.code, done.code) == (0, 0), done.steps
    (project, generation), (earlier, _) = team.kept()["acme/web"].split(), before.split()
    assert (project != earlier, generation) == (True, "2")


def test_another_order_alone_is_no_change_and_a_second_apply_does_nothing(team: Team) -> None:
    shuffled = (
        (team.work / "tenants.yaml")
        .read_text()
        .replace("[citext, pg_trgm]", "[pg_trgm, citext] # two")
        .replace("aws-us-west-2", "us-west-2")
    )
    change = team.propose(shuffled)
    job = team.review(change)
    assert (job.code, remarks(job)) == (0, [])
    # What was applied before was all that there was to apply.
    assert "### No changes: 1 app is as the registry says." in team.comment(change)
    done = team.apply(team.merge(change))
    assert (done.code, "nothing to do" in done.out("Apply")) == (0, True)


def test_drift_opens_one_issue(team: Team) -> None:
    project = team.kept()["acme/web"].split()[0]
    with team.cloud.client() as client:
        client.patch(
            f"/projects/{project}", json={"project": {"history_retention_seconds": 43200}}
        ).raise_for_status()
    assert team.look().code == 0
    (issue,) = team.server.issues
    assert (issue["title"], issue["state"], issue["user"]["login"]) == (
        "Drift in stack test",
        "open",
        BOT,
    )
    assert "project acme/web: historyRetentionSeconds: 21600 → 43200" in issue["body"]
