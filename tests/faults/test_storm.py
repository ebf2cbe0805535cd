"""Several runs at once while Neon says that it is asked too often."""

import subprocess
from pathlib import Path

import pytest

from tests.engine.workspace import Workspace, projects
from tests.faults import scenarios
from tests.faults.interruption import UP
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import local_cloud

RUNS = 8
LIMIT = 700
"""Requests a minute: Neon's own."""
SECONDS = 400

pytestmark = pytest.mark.faults


def test_eight_runs_at_once_converge_within_the_rate_limit(tmp_path: Path) -> None:
    options = ("--neon-rate-limit", str(LIMIT))
    with local_cloud(tmp_path / "cloud", *options, pace=0.1) as cloud, faults_of(cloud) as faults:
        environment = cloud.env() | {"NEON_API_RPM": "", "TENANTRY_CATALOG_URL": ""}
        workspaces = [
            Workspace(tmp_path / f"workspace-{number}", environment, served=False)
            for number in range(RUNS)
        ]
        for number, workspace in enumerate(workspaces):
            scenarios.PROJECT.write(workspace.folder, f"storm{number}", scenarios.PROJECT.after)
        storm = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}
        faults.order("* /**", storm, probability=0.3, seed=1, count=None)
        faults.forget_requests()
        runs = [_begin(workspace) for workspace in workspaces]
        codes = [run.wait(SECONDS) for run in runs]
        logs = [(workspace.folder / "up.log").read_text() for workspace in workspaces]
        assert codes == [0] * RUNS, "\n".join(logs)
        counted = faults.requests("neon")
        assert counted["highest"]["60s"] <= LIMIT
        assert counted["statuses"]["429"] > RUNS
        faults.withdraw()
        for number, workspace in enumerate(workspaces):
            assert projects(cloud, f"storm{number}--") == [f"storm{number}--acme--web"]
            workspace.assert_converged()


def _begin(workspace: Workspace) -> "subprocess.Popen[bytes]":
    with (workspace.folder / "up.log").open("wb") as log:
        return subprocess.Popen(
            ["pulumi", *UP, "--non-interactive", "--color=never"],
            cwd=workspace.folder,
            env=workspace.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
