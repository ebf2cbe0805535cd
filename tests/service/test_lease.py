"""The engine's own lease: it ends by itself when nobody renews it, and not before."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenantry.running.resident import Resident, find_resident

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 2.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Resident]:
    command = find_resident(str(Path(sys.executable).with_name("pulumi")))
    assert command is not None
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    started = Resident(command, tmp_path, os.environ, SECONDS)
    yield started
    started.close()


def ended(engine: Resident, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while engine.alive and time.monotonic() < until:
        time.sleep(0.05)
    return not engine.alive


def test_an_engine_lives_while_it_is_renewed_and_ends_when_nobody_does(engine: Resident) -> None:
    for _ in range(6):
        time.sleep(SECONDS / 3)
        engine.renew()
    assert engine.alive
    assert ended(engine, SECONDS + 2)
    answer = engine.ask("create", "acme--web")
    assert answer.wait() != 0
    assert "exit code 75" in answer.said()


def test_an_engine_that_was_stopped_does_not_go_on(engine: Resident) -> None:
    os.kill(engine.pid, signal.SIGSTOP)
    time.sleep(SECONDS + 0.5)
    os.kill(engine.pid, signal.SIGCONT)
    assert ended(engine, 1)
