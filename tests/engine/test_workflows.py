"""The workflows for GitHub under the linter for them, which is built from its pinned module."""

import subprocess
from pathlib import Path

from tenantry.engine.building import go_environment
from tenantry.engine.cache import cache_root
from tenantry.engine.golang import find_go, minimum
from tests.workflows import FOLDER, NAMES

MODULE = Path(__file__).parents[1] / "actionlint"


def actionlint(*files: Path) -> "subprocess.CompletedProcess[str]":
    go = find_go(minimum(MODULE / "go.mod"), cache_root() / "engine", print)
    return subprocess.run(
        # Without the programs that it would call where they happen to be installed.
        [go, "-C", MODULE, "tool", "actionlint", "-shellcheck=", "-pyflakes=", *files],
        env=go_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    files = [FOLDER / f"{name}.yml" for name in NAMES]
    done = actionlint(*files)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr

    broken = tmp_path / "broken.yml"
    broken.write_text(files[0].read_text().replace("timeout-minutes:", "timeout-minuets:"))
    done = actionlint(broken)
    assert done.returncode == 1
    assert 'unexpected key "timeout-minuets"' in done.stdout
