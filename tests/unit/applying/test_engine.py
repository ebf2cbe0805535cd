"""The engine's process: its events, and what becomes of signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tenantry.applying.engine import Ended, apply
from tenantry.running.stack import StackError

# Ends with 10 and the number of interrupts that it got, at the latest after a second and at once at the second one.
COUNTING = """#!{python}
import pathlib, signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
pathlib.Path("ready").touch()
end = time.monotonic() + 1
while time.monotonic() < end and len(seen) < 2:
    time.sleep(0.02)
sys.exit(10 + len(seen))
"""
PARENT = (
    "import os, sys; from tenantry.applying.engine import apply; "
    "ended = apply(os.environ, [], lambda _: None); print(ended.interrupted); sys.exit(ended.code)"
)


LOG = 'log=$(echo "$*" | sed "s/.*--event-log //; s/ .*//")'


def appears(file: Path) -> None:
    end = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def pulumi(folder: Path, content: str) -> dict[str, str]:
    """Put a `pulumi` in the way, and return the environment that has it."""
    command = folder / "pulumi"
    command.write_text(content)
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_events_are_taken_as_they_come_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = pulumi(
        tmp_path,
        f'#!/bin/sh\n{LOG}\necho "to nobody"\n{{ echo "{{\\"n\\": 1}}"; sleep 0.2; echo "{{\\"n\\": 2}}"; }} > "$log"\n'
        f'echo "error: locked" >&2\necho "$*" > {tmp_path}/called; echo $$ > {tmp_path}/pid\nexit 7\n',
    )
    monkeypatch.setenv("PATH", environment["PATH"])
    taken: list[Any] = []
    pids: list[int] = []
    ended = apply(environment, ["--parallel", "2"], taken.append, pids.append)
    assert ended == Ended(7, "error: locked", False)
    assert pids == [int((tmp_path / "pid").read_text())]
    assert taken == [{"n": 1}, {"n": 2}]
    called = (tmp_path / "called").read_text()
    assert called.startswith("up --yes --skip-preview --non-interactive ")
    assert called.endswith(" --parallel 2\n")


def test_an_engine_outlives_whoever_started_it(tmp_path: Path) -> None:
    environment = pulumi(
        tmp_path,
        f'#!/bin/sh\n{LOG}\nexec 3> "$log"\ntouch ready\nsleep 0.5\n'
        "trap '' PIPE\necho '{}' >&3\necho more\ntouch ended\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=environment | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
    )
    appears(tmp_path / "ready")
    process.kill()
    process.communicate(timeout=20)
    appears(tmp_path / "ended")


def test_a_command_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StackError, match="pulumi is not on PATH"):
        apply({"PATH": "/nowhere"}, [], lambda _: None)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 2])
def test_each_signal_is_handed_on_once_as_an_interrupt(
    tmp_path: Path, sent: signal.Signals, times: int
) -> None:
    environment = pulumi(tmp_path, COUNTING.replace("{python}", sys.executable))
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=environment | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    appears(tmp_path / "ready")
    for _ in range(times):
        process.send_signal(sent)
        time.sleep(0.2)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (10 + times, "True\n")
    assert err.count("Ctrl-C again ends it at once") == 1
    assert err.count("Ends at once") == times - 1


def test_an_engine_whose_listener_fails_is_ended_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = pulumi(
        tmp_path,
        f"#!{sys.executable}\nimport pathlib, signal, sys, time\n"
        f"def end(*_):\n    pathlib.Path({str(tmp_path)!r}, 'ended').touch()\n    sys.exit(1)\n"
        "signal.signal(signal.SIGINT, end)\nlog = open(sys.argv[sys.argv.index('--event-log') + 1], 'w')\n"
        "print('{}', file=log, flush=True)\ntime.sleep(20)\n",
    )
    monkeypatch.setenv("PATH", environment["PATH"])

    def fail(event: Any) -> None:
        raise BrokenPipeError(json.dumps(event))

    with pytest.raises(BrokenPipeError):
        apply(environment, [], fail)
    assert (tmp_path / "ended").exists()
