"""Apps go from one big stack to a stack each and back, through a death in the middle. The clouds hear of nothing."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.engine.fleet_folder import SECONDS, FleetFolder
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: fleet-moves
defaults: {region: aws-us-east-2, environment: development, deletion: delete}
tenants:
  acme:
    apps:
      web:
        database: {schema: base}
        services: [auth]
        api_keys: [{name: default}]
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}
      lab: {}
"""
KILLED = """
import os, pathlib, signal
from tenantry.fleet import moves
from tenantry.fleet.fleet import Fleet
project = Fleet(pathlib.Path(".")).project
planned = moves.plan_split(project, project.store, "prod")
moves.split(project, project.store, planned, lambda move: os.kill(os.getpid(), signal.SIGKILL))
"""


def said(folder: FleetFolder, *arguments: str) -> tuple[int, str]:
    """Run `pulumi` in the folder, whatever comes of it."""
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color=never"],
        cwd=folder.folder,
        env=folder.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outputs(folder: FleetFolder, stack: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(
        folder.pulumi("stack", "output", "--json", "--show-secrets", "--stack", stack)
    )
    return found


def test_apps_move_to_stacks_of_their_own_and_back_and_no_cloud_hears_of_it(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    folder = FleetFolder(tmp_path / "project", cloud.env())
    folder.registry.write_text(REGISTRY)
    folder.pulumi("stack", "init", "prod")
    folder.pulumi("up", "--stack", "prod", "--yes", "--skip-preview")
    before = outputs(folder, "prod")
    with faults_of(cloud) as faults:
        faults.forget_requests()
        killed = subprocess.run(
            [sys.executable, "-c", KILLED],
            cwd=folder.folder,
            env=folder.environment,
            check=False,
            capture_output=True,
            timeout=SECONDS,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert folder.fleet().project.store.stacks() == {"prod", "acme--lab"}

        # In the middle neither side runs, not even when the dead one's lock is gone.
        for command in (["up", "--yes"], ["plan"]):
            done = folder.command(*command)
            assert done.returncode == 1
            assert "Go on with tenantry fleet split --from prod" in done.stdout + done.stderr
        code, text = said(folder, "up", "--stack", "prod", "--yes", "--skip-preview")
        assert (code != 0, "locked by 1 lock" in text) == (True, True), text
        folder.pulumi("cancel", "--yes", "--stack", "prod")
        code, text = said(folder, "up", "--stack", "prod", "--yes", "--skip-preview")
        assert code != 0, text
        assert "Go on with tenantry fleet split --from prod" in text

        done = folder.command("split", "--from", "prod", "--yes")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "split: 2 moved"
        (backup,) = {
            path.name for path in (folder.folder / ".tenantry/fleet/states").glob("*/prod.json")
        }
        assert backup == "prod.json"

        # What there is is what is wanted, on both sides.
        done = folder.command("up", "--yes", "--json")
        assert done.returncode == 0, done.stderr
        results = json.loads(done.stdout.splitlines()[-1])["results"]
        assert {each["app"]: (each["outcome"], each["changes"]) for each in results} == {
            "acme/web": ("unchanged", {}),
            "acme/lab": ("unchanged", {}),
        }
        assert folder.fleet().up().results == ()
        # The big stack's `all` means all that it is to have.
        folder.pulumi("up", "--stack", "prod", "--yes", "--skip-preview", "--expect-no-changes")
        apart = [outputs(folder, stack) for stack in ("acme--web", "acme--lab")]
        for name in ("apps", "urls", "apiKeys", "graphs"):
            assert before[name] == {**apart[0][name], **apart[1][name]}
        assert faults.changed() == {}

        # An app that the fleet made has a key of its own, and comes along.
        with folder.registry.open("a") as file:
            file.write("      new: {}\n")
        assert [each.outcome for each in folder.fleet().up().results] == ["applied"]
        new = outputs(folder, "acme--new")
        faults.forget_requests()
        done = folder.command("join", "--into", "prod", "--dry-run")
        assert done.returncode == 2, done.stderr
        done = folder.command("join", "--into", "prod", "--yes")
        assert done.returncode == 0, done.stderr
        assert folder.fleet().project.store.stacks() == {"prod"}
        after = outputs(folder, "prod")
        for name in ("apps", "urls", "apiKeys", "graphs"):
            assert after[name] == {**before[name], **new[name]}
        folder.pulumi("up", "--stack", "prod", "--yes", "--skip-preview", "--expect-no-changes")
        assert faults.changed() == {}
    folder.pulumi("destroy", "--stack", "prod", "--yes", "--skip-preview", "--run-program=false")
