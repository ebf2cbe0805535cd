"""The engine's own words for failures that may pass, which `tenantry.fleet.failures` goes by."""

import os
import shutil
import sys
from pathlib import Path

import pulumi_random
import pytest

from tenantry.engine.home import link_plugins
from tenantry.fleet.failures import failure
from tenantry.running.engine import Engine, Ran

DIES = "#!/bin/sh\nexit 1\n"
# It names a port at which nobody listens; the engine waits 10 s for it.
DOES_NOT_ANSWER = "#!/bin/sh\necho 1\nexec sleep 60\n"


def run(folder: Path, *, plugin: str | None = None, lock: bool = False) -> Ran:
    """Run the engine over one random value.

    :param plugin: what stands in for the plugin that makes it
    :param lock: whether another run holds the stack
    """
    state, home = folder / "state", folder / "home"
    state.mkdir()
    (folder / "Pulumi.yaml").write_text("name: t\nruntime: python\n")
    bin_folder = Path(sys.executable).parent
    link_plugins(bin_folder, home)
    alone = folder / "bin"
    alone.mkdir()
    if plugin:
        # A `pulumi` without the engine that has the plugins in it.
        (alone / "pulumi").symlink_to(bin_folder / "pulumi")
        (installed,) = home.glob("plugins/resource-random-*")
        if installed.is_symlink():
            installed.unlink()
        else:
            shutil.rmtree(installed)
        installed.mkdir()
        (installed / "pulumi-resource-random").write_text(plugin)
        (installed / "pulumi-resource-random").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(alone), str(bin_folder), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_HOME": str(home),
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }

    def program() -> None:
        pulumi_random.RandomId("id", byte_length=4)

    engine = Engine(folder, environment, shared_settings=folder / "Pulumi.fleet.yaml")
    created = engine.create("one")
    assert created.code == 0, created.errors
    if lock:
        locks = state / ".pulumi" / "locks" / "organization" / "t" / "one"
        locks.mkdir(parents=True, exist_ok=True)
        (locks / "1.json").write_text(
            '{"pid": 1, "username": "ann", "hostname": "build", "timestamp": "2026-01-01T00:00:00Z"}'
        )
    return engine.run("up", "one", program)


@pytest.mark.parametrize("plugin", [DIES, DOES_NOT_ANSWER], ids=["dies", "does not answer"])
def test_a_plugin_that_does_not_start_may_do_so_later(tmp_path: Path, plugin: str) -> None:
    ran = run(tmp_path, plugin=plugin)
    assert ran.code != 0
    assert failure(ran.errors).kind == "passing", ran.errors


def test_a_stack_that_another_run_holds_is_busy(tmp_path: Path) -> None:
    ran = run(tmp_path, lock=True)
    assert ran.code != 0
    assert failure(ran.errors).kind == "busy", ran.errors
