"""A run of the engine that is disturbed on order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.faults import processes
from tests.faults.processes import MARK, Tree

if TYPE_CHECKING:
    from tests.engine.workspace import Workspace
    from tests.faults.cloud import FaultyCloud
    from tests.faults.points import Case

UP: Final = ("up", "--yes", "--skip-preview")
_PULUMI: Final = ("pulumi", *UP, "--non-interactive", "--color=never")
_TENANTRY: Final = (str(Path(sys.executable).parent / "tenantry"), "up", "--yes")
_REACH_SECONDS: Final = 180
_END_SECONDS: Final = 240
_KILLED_SECONDS: Final = 10
_QUIET_SECONDS: Final = 0.7
"""For so long a plugin asks nothing once its create is done; its answer then waits at the stopped engine."""


@dataclass(frozen=True)
class Disturbed:
    """How the run went."""

    code: int | None
    """None: it did not end in time, and was ended."""
    said: str
    reached: bool
    """Whether the point was reached at all."""
    mark: str
    """By which its processes are found."""
    late: threading.Thread | None
    """Lets go in a moment of what was held; to be joined."""


class Command:
    """A command in a workspace that runs on its own, with all that it starts."""

    def __init__(self, workspace: Workspace, command: tuple[str, ...], out: Path) -> None:
        self.mark = uuid.uuid4().hex
        self._out = out
        with out.open("wb") as stream:
            self._process = subprocess.Popen(
                command,
                cwd=workspace.folder,
                env=workspace.environment | {MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None if it does not come, in which case all of it is killed."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            processes.end(self.mark)
            self._process.wait(_KILLED_SECONDS)
            return None

    def said(self) -> str:
        """What it has printed."""
        return self._out.read_text("utf-8", "replace")


def disturb(
    case: Case, workspace: Workspace, cloud: FaultyCloud, chance: random.Random, out: Path
) -> Disturbed:
    """Run `pulumi up` or `tenantry up`, stop it where the case says, and kill who is to die.

    :param chance: how long things take that take time
    """
    after = cloud.newest()
    skip = {"skip": chance.randrange(case.skip)} if case.skip else {}
    orders = [cloud.order({**order, **skip}) for order in case.orders]
    run = Command(workspace, _TENANTRY if case.served else _PULUMI, out)
    late: threading.Thread | None = None
    try:
        reached = cloud.wait_for(orders[0], after, _REACH_SECONDS, run.running)
        if reached and case.victim not in {"postgres", "nobody"}:
            # Not always at the very same moment.
            time.sleep(chance.uniform(0, 0.2))
            late = _strike(case, run, cloud, chance)
        code = run.wait(_END_SECONDS)
    finally:
        if late is None:
            cloud.release()
    return Disturbed(code, run.said(), reached, run.mark, late)


def _strike(
    case: Case, run: Command, cloud: FaultyCloud, chance: random.Random
) -> threading.Thread | None:
    if case.victim == "cloud":
        cloud.kill()
        time.sleep(chance.uniform(0, 0.5))
        cloud.start_again()
        return None
    with Tree(run.pid, "command" if case.served else "engine") as tree:
        if case.answered:
            os.kill(run.pid, signal.SIGSTOP)
            cloud.release()
            # Statements are not counted, so it is waited at least once.
            time.sleep(_QUIET_SECONDS)
            cloud.wait_until_quiet(_QUIET_SECONDS)
        match case.victim:
            case "command" | "engine":
                tree.kill(tree.of(case.victim))
            case "resident":
                chosen = tree.of("engine")
                assert chosen, f"{case.id}: no engine runs"
                tree.kill(chosen)
            case "group":
                tree.kill(tree.processes)
            case _:
                chosen = tree.of(case.provider)
                assert chosen, f"{case.id}: no {case.provider} plugin runs"
                tree.kill(chosen)
    if case.late:
        thread = threading.Timer(chance.uniform(0.5, 3), cloud.release)
        thread.start()
        return thread
    return None
