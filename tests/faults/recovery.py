"""What the documentation tells an operator to do after a failure: one command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.engine.workspace import Finished, Workspace
from tests.faults.interruption import UP

if TYPE_CHECKING:
    from tests.faults.points import Case

_SECONDS: Final = 120
_NAMED: Final = re.compile(r"tenantry ((?:graph|project) delete \S+ --name [\w.-]+)")


def recover(case: Case, workspace: Workspace) -> list[Finished]:
    """Recover as docs/operations.md says, and return what was run."""
    # A dead engine leaves its lock, and what it was about to do.
    died = case.victim in {"engine", "group"}
    runs = [_again(workspace) if died else workspace.pulumi(*UP)]
    if case.by_command and runs[-1].code != 0:
        # Nobody has the password of that instance, or the project is of no use: a command lets it go, and the error or the doctor
        # names it.
        named = _NAMED.search(runs[-1].said)
        if named is None:
            runs.append(tenantry(workspace, "doctor"))
            named = _NAMED.search(runs[-1].said)
        if named is not None:
            runs.append(tenantry(workspace, *named[1].split()))
            runs.append(_again(workspace))
    return runs


def _again(workspace: Workspace) -> Finished:
    return tenantry(workspace, "up", "--yes", "--", "--skip-preview")


def tenantry(workspace: Workspace, *arguments: str) -> Finished:
    """Run the `tenantry` command in a workspace."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tenantry"), *arguments],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
