"""A project's folder for runs over many stacks, driven from Python and by the command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tenantry.engine.home import link_plugins
from tenantry.fleet import Fleet

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 300


class FleetFolder:
    """A folder with a registry, a backend and nothing else of the user's."""

    def __init__(self, folder: Path, cloud: dict[str, str], *, backend: str | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        shutil.copy(REPOSITORY / "Pulumi.yaml", folder)
        # For what is done by hand.
        for name in ("__main__.py", ".venv"):
            (folder / name).symlink_to(REPOSITORY / name)
        self.state = folder / "state"
        self.state.mkdir()
        bin_folder = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": backend or self.state.as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **cloud,
        }
        link_plugins(bin_folder, folder / "home")

    @property
    def registry(self) -> Path:
        return self.folder / "tenants.yaml"

    def fleet(self) -> Fleet:
        return Fleet(self.folder, environment=self.environment)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start `tenantry fleet …` in the folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "tenantry", "fleet", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `tenantry fleet …` in the folder to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def tenantry(self, *arguments: str, stack: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `tenantry …` in the folder to its end, with a current stack where one is named."""
        return subprocess.run(
            [sys.executable, "-m", "tenantry", *arguments],
            cwd=self.folder,
            env=self.environment | ({"PULUMI_STACK": stack} if stack else {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def pulumi(self, *arguments: str) -> str:
        """Run `pulumi` in the folder and expect it to succeed."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def records(self) -> list[dict[str, Any]]:
        """The records of all runs, oldest first."""
        files = sorted((self.folder / ".tenantry" / "fleet" / "runs").glob("*.json"))
        return [json.loads(file.read_text()) for file in files]
