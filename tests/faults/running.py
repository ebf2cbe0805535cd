"""One case, from an empty workspace to a verdict."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.engine.workspace import Workspace
from tests.faults import processes
from tests.faults.interruption import UP, Disturbed, disturb
from tests.faults.recovery import recover
from tests.faults.verdict import Finding, judge

if TYPE_CHECKING:
    from tests.faults.cloud import FaultyCloud
    from tests.faults.points import Case

_GONE_SECONDS: Final = 10
_LANDING: Final = "6"
"""What is held lands within less than this many seconds after it was sent; a minute is what a real cloud is given."""
_ENVIRONMENT: Final = {
    # A local cloud answers at once: what waits for a real one would only make the matrix long.
    "NEON_POLL_SECONDS": "0.1",
    "NEON_LOST_SECONDS": "4",
    "NEON_INTENT_SECONDS": _LANDING,
    "TENANTRY_LANDING_SECONDS": _LANDING,
    "AURA_LANDING_SECONDS": _LANDING,
    "NEON_API_RPM": "6000",
}


@dataclass
class Result:
    """What came of a case."""

    case: str
    seconds: float
    findings: list[Finding] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of each."""

    @property
    def passed(self) -> bool:
        """Whether there is nothing to find fault with."""
        return not self.findings


def run(
    case: Case,
    cloud: FaultyCloud,
    folder: Path,
    *,
    seed: int,
    plugins: Path | None = None,
    served: bool = False,
) -> Result:
    """Run a case in a folder of its own, which is deleted when it has passed.

    :param seed: of all chance in it
    :param plugins: a folder with plugins to be taken in place of ours
    :param served: whether this process serves the program of the undisturbed runs; then one case at a time
    """
    begun = time.monotonic()
    result = Result(case.id, 0)
    namespace = "f" + hashlib.sha256(f"{case.id} {seed}".encode()).hexdigest()[:5]
    shutil.rmtree(folder, ignore_errors=True)
    cloud.clear(namespace)
    cloud.forget_requests()
    try:
        _run(case, cloud, folder, result, namespace, seed, plugins, served=served)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        result.findings.append(Finding("not converged", f"{type(error).__name__}: {error}"[:2000]))
    finally:
        cloud.release()
        cloud.clear(namespace)
    result.seconds = round(time.monotonic() - begun, 1)
    if result.passed:
        shutil.rmtree(folder)
    return result


def _run(
    case: Case,
    cloud: FaultyCloud,
    folder: Path,
    result: Result,
    namespace: str,
    seed: int,
    plugins: Path | None,
    *,
    served: bool,
) -> None:
    chance = random.Random(f"{case.id} {seed}")
    last = time.monotonic()

    def done(phase: str) -> None:
        nonlocal last
        now = time.monotonic()
        result.phases[phase] = round(now - last, 1)
        last = now

    environment = cloud.running.env() | _ENVIRONMENT | case.environment
    if not case.scenario.catalog:
        environment["TENANTRY_CATALOG_URL"] = ""
    workspace = Workspace(folder, environment, served=served)
    if plugins:
        _replace_plugins(workspace, plugins)
    scenario = case.scenario
    if scenario.before is not None:
        scenario.write(folder, namespace, scenario.before)
        workspace.must(*UP)
    scenario.write(folder, namespace, scenario.after)
    if case.asleep:
        cloud.suspend(namespace)
    done("before")

    disturbed = disturb(case, workspace, cloud, chance, folder / "disturbed.log")
    done("disturbed")
    try:
        runs = recover(case, workspace, cloud, namespace)
        done("recovery")
        _keep(folder, "recovery.log", [run.said for run in runs])
        result.findings += _of_the_run(case, disturbed)
        if runs[-1].code != 0:
            result.findings.append(Finding("not converged", f"recovery: {_tail(runs[-1].said)}"))
        for operation in case.environment:
            del workspace.environment[operation]
        said = [disturbed.said, *(run.said for run in runs)]
        result.findings += judge(case, workspace, cloud, namespace, said)
        done("verdict")
        left = processes.wait_until_gone(disturbed.mark, _GONE_SECONDS)
        if left:
            text = f"processes of the run: {', '.join(left)}"
            result.findings.append(Finding("left behind", text))
        done("end")
    finally:
        if disturbed.late:
            disturbed.late.join()
        processes.end(disturbed.mark)


def _of_the_run(case: Case, disturbed: Disturbed) -> list[Finding]:
    found = []
    if not disturbed.reached:
        found.append(Finding("not reached", _tail(disturbed.said)))
    if disturbed.code is None:
        found.append(Finding("not converged", "the run did not end by itself"))
    if case.converges and disturbed.code != 0:
        found.append(Finding("not converged", f"the run itself failed: {_tail(disturbed.said)}"))
    if case.must_fail and disturbed.code == 0:
        found.append(Finding("not converged", "the run counts as a success, which it was not"))
    if "Traceback" in disturbed.said or "panic:" in disturbed.said:
        found.append(Finding("not converged", f"a traceback: {_tail(disturbed.said)}"))
    return found


def _replace_plugins(workspace: Workspace, plugins: Path) -> None:
    for link in (workspace.folder / "home" / "plugins").glob("*/pulumi-resource-*"):
        other = plugins / link.name
        if other.exists():
            link.unlink()
            link.symlink_to(other)


def _keep(folder: Path, name: str, texts: list[str]) -> None:
    (folder / name).write_text("\n\n".join(texts), "utf-8")


def _tail(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if "error" in line.lower()]
    return " | ".join(lines or said.splitlines()[-6:])[:700]
