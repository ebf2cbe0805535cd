"""The workflows for GitHub, read and run as its runner does: conditions, expressions, the steps' shell and environment.

Of the actions only what the workflows rely on is done: the fake server keeps an artifact that is uploaded. The checkout
and the set-up are the caller's.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.github_server import REPOSITORY, TOKEN, GitHubServer

FOLDER = Path(__file__).parents[1] / "ci" / "github"
NAMES = ("pull-request", "apply", "drift")
SECONDS = 300
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[a-zA-Z_][\w.-]*)|(?P<sign>&&|\|\||==|!=|!|[(),]))"
)
_SIGNS = {"&&": " and ", "||": " or ", "!": " not "}


def workflow(name: str) -> dict[str, Any]:
    """Read a workflow by YAML 1.2, in which `on` is text."""
    read: dict[str, Any] = YAML(typ="safe").load(FOLDER / f"{name}.yml")
    return read


@dataclass(frozen=True)
class Ran:
    """A step that was run."""

    name: str
    code: int
    out: str
    environment: dict[str, str]


@dataclass
class Job:
    """One run of one job."""

    steps: list[Ran] = field(default_factory=list)
    skipped: bool = False

    @property
    def code(self) -> int:
        """0, or the exit code of the first step that failed."""
        return next((step.code for step in self.steps if step.code), 0)

    def out(self, name: str) -> str:
        """What a step printed."""
        return next(step.out for step in self.steps if step.name == name)

    def ran(self) -> list[str]:
        return [step.name for step in self.steps]


@dataclass
class Runner:
    """A machine that runs a job in a checkout."""

    checkout: Path
    server: GitHubServer
    github: dict[str, Any]
    """The context of that name: `event_name`, `sha`, `event`, …"""
    variables: dict[str, str]
    secrets: dict[str, str]
    environment: dict[str, str]
    """Of the machine itself."""

    def run(self, name: str, job: str, *, needs: dict[str, str] | None = None) -> Job:
        """Run a job's steps, those before the checkout is in place left out."""
        whole = workflow(name)
        described = whole["jobs"][job]
        done = Job()
        context = {
            "github": {"token": TOKEN, "repository": REPOSITORY, **self.github},
            "vars": self.variables,
            "secrets": self.secrets,
            "runner": {"os": "Linux", "arch": "X64"},
            "needs": {key: {"result": result} for key, result in (needs or {}).items()},
        }
        if not self._holds(described.get("if"), context, done):
            done.skipped = True
            return done
        self.server.permissions = dict(described["permissions"])
        common = {**whole.get("env", {}), **described.get("env", {})}
        for step in described["steps"]:
            if not self._holds(step.get("if"), context, done):
                continue
            if "uses" in step:
                self._use(step, context)
            else:
                given = {**common, **step.get("env", {})}
                environment = {key: self._text(each, context) for key, each in given.items()}
                done.steps.append(self._step(step, environment))
        return done

    def _step(self, step: dict[str, Any], environment: dict[str, str]) -> Ran:
        # GitHub Actions, "Workflow syntax", `shell: bash`: bash --noprofile --norc -eo pipefail {0}
        script = self.checkout.parent / "step.sh"
        script.write_text(step["run"])
        whole = {**self.environment, **environment}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.checkout,
            env=whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(step["name"], done.returncode, done.stdout, whole)

    def _use(self, step: dict[str, Any], context: dict[str, Any]) -> None:
        if step["uses"].startswith("actions/upload-artifact@"):
            given = {key: self._text(each, context) for key, each in step["with"].items()}
            event = self.github.get("event", {})
            head = event.get("pull_request", {}).get("head", {}).get("sha", self.github["sha"])
            content = (self.checkout / given["path"]).read_bytes()
            run = int(self.github["run_id"])
            self.server.keep(given["name"], content, run=run, head=head)

    def _holds(self, condition: str | None, context: dict[str, Any], done: Job) -> bool:
        text = condition or "success()"
        if found := _EXPRESSION.fullmatch(text):
            text = found[1]
        if not re.search(r"\b(success|always|cancelled|failure)\(", text):
            # Without a function of the status, success() is meant.
            text = f"success() && ({text})"
        return bool(self._value(text, context, failed=done.code != 0))

    def _text(self, value: Any, context: dict[str, Any]) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return _EXPRESSION.sub(lambda found: str(self._value(found[1], context)), str(value))

    def _value(self, text: str, context: dict[str, Any], *, failed: bool = False) -> Any:
        functions = {
            "always": lambda: True,
            "cancelled": lambda: False,
            "success": lambda: not failed,
            "hashFiles": lambda *patterns: (
                "digest" if any(list(self.checkout.glob(each)) for each in patterns) else ""
            ),
        }
        python, place = "", 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            assert found, f"an expression that this reader does not know: {text}"
            place = found.end()
            if found["text"]:
                python += repr(found["text"][1:-1].replace("''", "'"))
            elif found["name"] in functions:
                python += f"functions[{found['name']!r}]"
            elif found["name"]:
                python += f"look({found['name']!r})"
            else:
                python += _SIGNS.get(found["sign"], found["sign"])

        def look(name: str) -> Any:
            value: Any = context
            for each in name.split("."):
                value = value.get(each, "") if isinstance(value, dict) else ""
            return value

        return eval(python, {"functions": functions, "look": look})  # our own workflows


def machine(checkout: Path) -> dict[str, str]:
    """The variables of a machine: what leads to programs, and what the runner itself sets."""
    kept = ("PATH", "HOME", "LANG")
    return {
        **{name: each for name in kept if (each := os.environ.get(name))},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(checkout),
    }
