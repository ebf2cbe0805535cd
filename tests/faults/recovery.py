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
    from tests.faults.cloud import FaultyCloud
    from tests.faults.points import Case

_SECONDS: Final = 120
_BRANCH: Final = re.compile(r"delete (br-[\w-]+) in Neon")
_NAMED: Final = re.compile(r"tenantry ((?:graph|project) delete \S+ --name [\w.-]+)")


def recover(case: Case, workspace: Workspace, cloud: FaultyCloud, namespace: str) -> list[Finished]:
    """Recover as docs/failures.md says, and return what was run."""
    # A dead engine leaves its lock, and what it was about to do.
    died = case.victim in {"command", "resident", "engine", "group"}
    # Where the command died, its engine may still be ending the run.
    wait = ("--wait", "2m") if case.victim == "command" else ()
    if case.served:
        runs = [tenantry(workspace, "up", "--yes", *wait)]
    else:
        runs = [_again(workspace) if died else workspace.pulumi(*UP)]
    if case.by_command and runs[-1].code != 0:
        # Nobody has that instance's password, or Neon could not finish that project or branch.
        # The error says what deletes it.
        said = runs[-1].said
        if branch := _BRANCH.search(said):
            cloud.delete_branch(namespace, branch[1])
            runs.append(_again(workspace))
        elif command := _NAMED.search(said):
            runs.append(tenantry(workspace, *command[1].split()))
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
