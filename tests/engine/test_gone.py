"""A project that was deleted outside of the stack, and the command that makes it anew."""

import subprocess
import sys
from pathlib import Path

import psycopg

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: gone
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        deletion: protect
"""


def test_the_way_out_that_status_prints_works(workspace: Workspace, cloud: LocalCloud) -> None:
    workspace.apply(REGISTRY)
    app = workspace.outputs()["apps"]["acme/web"]
    with cloud.client() as client:
        client.delete(f"/projects/{app['project']}").raise_for_status()

    said = subprocess.run(
        [str(Path(sys.executable).parent / "tenantry"), "status"],
        cwd=workspace.folder,
        env=workspace.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "make an empty one: tenantry up -- --refresh" in said

    workspace.must("up", "--yes", "--skip-preview", "--refresh")
    with psycopg.connect(workspace.url("acme/web")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    workspace.assert_converged()
