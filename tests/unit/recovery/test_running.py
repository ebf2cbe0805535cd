import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tenantry.recovery.running import run
from tenantry.stack import StackError

# Counts the interrupts that it gets within a second, and ends with that number.
COUNTING = """
import pathlib, signal, sys, time
seen = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: seen.append(number))
pathlib.Path(sys.argv[1]).touch()
end = time.monotonic() + 1
while time.monotonic() < end:
    time.sleep(0.05)
sys.exit(10 + len(seen))
"""
PARENT = "import os, sys; from tenantry.recovery.running import run; sys.exit(run(sys.argv[1:], os.environ))"


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -TERM $$", 143)],
)
def test_the_exit_code_is_the_commands_own(script: str, code: int) -> None:
    assert run(["sh", "-c", script], os.environ) == code


def test_its_end_is_seen_where_another_thread_gets_the_signal() -> None:
    codes: list[int] = []
    # The main thread, which waits here, does not have SIGCHLD blocked, and is the first choice of the system.
    beside = threading.Thread(target=lambda: codes.append(run(["true"], os.environ)), daemon=True)
    beside.start()
    beside.join(10)
    assert codes == [0]


def test_its_input_and_output_are_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PARENT, "cat"],
        input="through",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "through"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_this_process_alone_is_handed_on_once(
    tmp_path: Path, sent: signal.Signals
) -> None:
    ready = tmp_path / "ready"
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, sys.executable, "-c", COUNTING, str(ready)]
    )
    end = time.monotonic() + 20
    while not ready.exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(sent)
    assert process.wait(timeout=20) == 11


def test_a_command_that_is_not_there_is_one_line() -> None:
    with pytest.raises(StackError, match="no-such-command is not on PATH"):
        run(["no-such-command"], {"PATH": "/nowhere"})


def test_signals_are_as_before_afterwards() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    run(["true"], os.environ)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
