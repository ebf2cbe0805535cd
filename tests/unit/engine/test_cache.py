import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.engine.cache import cache_root, locked
from tenantry.engine.errors import EngineError


def test_the_projects_own_variable_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("TENANTRY_CACHE")
    assert cache_root() == tmp_path / "xdg" / "tenantry"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "tenantry"


PROGRAM = """
import sys
from pathlib import Path
from tenantry.engine.cache import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock in another process, until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_says_that_it_waits_and_then_goes_on(
    tmp_path: Path, holder: subprocess.Popen[str], lines: list[str]
) -> None:
    started = time.monotonic()

    def report(line: str) -> None:
        lines.append(line)
        assert holder.stdin is not None
        holder.stdin.close()

    with locked(tmp_path, report, patience=20):
        pass
    assert lines == [f"another run is at work on the engine (process {holder.pid}): waiting"]
    assert time.monotonic() - started < 10


def test_the_lock_of_a_killed_run_is_free(
    tmp_path: Path, holder: subprocess.Popen[str], lines: list[str]
) -> None:
    holder.kill()
    holder.wait(20)
    with locked(tmp_path, lines.append):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
    assert not lines


def test_waiting_has_an_end(
    tmp_path: Path, holder: subprocess.Popen[str], lines: list[str]
) -> None:
    assert holder
    with (
        pytest.raises(EngineError, match=r"did not end within 0 s: end it, or set TENANTRY_CACHE"),
        locked(tmp_path, lines.append, patience=0),
    ):
        pytest.fail("two runs hold the lock")


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EngineError, match="set TENANTRY_CACHE"),
        locked(tmp_path / "file" / "x", lines.append),
    ):
        pytest.fail("locked")
