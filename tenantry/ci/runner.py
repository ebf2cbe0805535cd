"""What the CI service says of its run, and what a step may tell it beside its exit code."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def on_github(environment: Mapping[str, str]) -> bool:
    """Tell whether a runner of GitHub Actions, or one that is compatible with it, reads what is printed."""
    return environment.get("GITHUB_ACTIONS") == "true"


def in_repository(file: Path, environment: Mapping[str, str]) -> str:
    """Return a file's path from the repository's root, as annotations name it; without a root, as it was given."""
    root = environment.get("GITHUB_WORKSPACE")
    if root and (path := file.absolute()).is_relative_to(root):
        return path.relative_to(root).as_posix()
    return file.as_posix()


def commit_of(environment: Mapping[str, str]) -> str:
    """Return the commit that is built: the head of a pull request where there is one, else what was pushed."""
    pull_request = event(environment).get("pull_request")
    if isinstance(pull_request, dict):
        return str(pull_request["head"]["sha"])
    return environment.get("GITHUB_SHA") or environment.get("CI_COMMIT_SHA", "")


def event(environment: Mapping[str, str]) -> dict[str, object]:
    """Return what set off a run on GitHub; empty anywhere else."""
    import json

    path = environment.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).exists():
        return {}
    found: dict[str, object] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def summarize(markdown: str, environment: Mapping[str, str]) -> None:
    """Add a text to the run's page on GitHub; nothing anywhere else."""
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(f"{markdown}\n")


@contextmanager
def taken_as_text(environment: Mapping[str, str]) -> Iterator[None]:
    """Keep GitHub's runner from obeying what is printed in the block: a value that looks like a command stays text."""
    if not on_github(environment):
        yield
        return
    token = secrets.token_hex(16)
    _line(f"::stop-commands::{token}")
    try:
        yield
    finally:
        _line(f"::{token}::")


def _line(text: str) -> None:
    # At once: children write to the same pipe.
    print(text, flush=True)
