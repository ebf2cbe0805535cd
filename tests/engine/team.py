"""A team's repository on a bare remote, and what GitHub does with its pull requests: each job in a fresh clone."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.workspace import REPOSITORY as PROJECT
from tests.engine.workspace import Workspace
from tests.github_server import REPOSITORY, GitHubServer
from tests.localcloud_fixture import LocalCloud
from tests.workflows import Job, Runner, machine

SECRETS = ("NEON_API_KEY", "TENANTRY_CATALOG_URL", "AURA_CLIENT_SECRET")
VARIABLES = ("NEON_ORG_ID", "AURA_CLIENT_ID", "AURA_TENANT_ID")


@dataclass
class PullRequest:
    number: int
    branch: str
    head: str


class Team:
    """The repository, and everything that GitHub does with it."""

    project = PROJECT / "Pulumi.yaml"
    environment = PROJECT / ".venv"
    """The virtual environment of each machine, which has the engine and the packages already."""

    def __init__(self, folder: Path, cloud: LocalCloud, server: GitHubServer) -> None:
        self.stack = Workspace(folder / "stack", cloud.env(), project=self.project)
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
        self.begin()
        self.commit("main", "The platform")

    def begin(self) -> None:
        """Write the repository's first files."""
        for name in ("Pulumi.yaml", "__main__.py", ".gitignore", "ci/tenantry-ci"):
            (self.work / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, self.work / name)
        shutil.copy(self.stack.folder / "Pulumi.test.yaml", self.work)
        # The machine has the engine and the packages already.
        (self.work / "Makefile").write_text("engine:\n\t@test -x .venv/bin/pulumi\n")
        (self.work / "tenants.yaml").write_text("version: 1\nnamespace: review\ntenants: {}\n")

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
        (folder / ".venv").symlink_to(self.environment)
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
