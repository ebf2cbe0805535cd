"""The engine that stays, against a script in its place: what is asked, answered, and said when it dies."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tenantry.running.engine import Engine
from tenantry.running.resident import Resident, find_resident
from tests.fake_pulumi import FakePulumi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Notes each request, answers a `create` at once, and `up` once it is interrupted.
SCRIPT = """#!{python} -IS
import json, os, pathlib, signal, sys, threading
here = pathlib.Path({here!r})
waiting = []
def answer(**words):
    os.write(int(sys.argv[1]), json.dumps(words).encode() + b"\\n")
def stop(number, frame):
    while waiting:
        answer(id=waiting.pop(), code=255, said="error: update cancelled")
signal.signal(signal.SIGINT, stop)
for line in iter(sys.stdin.readline, ""):
    with open(here / "requests.jsonl", "a") as file:
        file.write(line)
    request = json.loads(line)
    if request["stack"] == "broken":
        print("a panic", file=sys.stderr)
        sys.exit(3)
    if request["operation"] == "create":
        answer(id=request["id"], code=0, said="")
    else:
        waiting.append(request["id"])
(here / "ended").touch()
"""


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    fake = FakePulumi(tmp_path / "bin")
    beside = fake.folder / "pulumi-resident"
    beside.write_text(SCRIPT.format(python=sys.executable, here=str(tmp_path)))
    beside.chmod(0o755)
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    return fake


@pytest.fixture
def resident(pulumi: FakePulumi, tmp_path: Path) -> Iterator[Resident]:
    command = find_resident(str(pulumi.folder / "pulumi"))
    assert command is not None
    made = Resident(command, tmp_path, os.environ)
    yield made
    made.close()


def requests(folder: Path) -> list[dict[str, object]]:
    file = folder / "requests.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_belongs_to_the_pulumi_beside_it(pulumi: FakePulumi, tmp_path: Path) -> None:
    assert find_resident(str(pulumi.folder / "pulumi")) == str(pulumi.folder / "pulumi-resident")
    assert find_resident(str(tmp_path / "pulumi")) is None


def test_an_answer_belongs_to_its_request(resident: Resident, tmp_path: Path) -> None:
    waiting = resident.ask("up", "acme--web", message="a run")
    made = resident.ask("create", "acme--new")
    assert (made.wait(), made.said(), made.poll()) == (0, "", 0)
    assert waiting.poll() is None
    assert requests(tmp_path)[0] == {
        "id": 1,
        "operation": "up",
        "stack": "acme--web",
        "message": "a run",
    }
    waiting.interrupt()
    assert (waiting.wait(), waiting.said()) == (255, "error: update cancelled")
    assert waiting.pid == resident.pid


def test_what_was_asked_of_one_that_dies_has_failed(resident: Resident) -> None:
    first = resident.ask("up", "acme--web")
    second = resident.ask("up", "broken")
    for asked in (first, second):
        assert asked.wait() == 255
        assert asked.said() == "error: the engine ended in the middle (exit code 3): a panic"
    assert not resident.alive
    assert resident.ask("up", "acme--api").wait() == 255


def test_one_process_serves_the_stacks_of_an_engine(pulumi: FakePulumi, tmp_path: Path) -> None:
    engine = Engine(tmp_path, pulumi.environment)
    assert engine.shared
    assert [engine.create(name).code for name in ("acme--web", "acme--api")] == [0, 0]
    assert [each["stack"] for each in requests(tmp_path)] == ["acme--web", "acme--api"]
    engine.close()
    assert (tmp_path / "ended").exists()
    assert pulumi.calls == []


def test_an_engine_that_died_is_started_anew(pulumi: FakePulumi, tmp_path: Path) -> None:
    engine = Engine(tmp_path, pulumi.environment)
    ran = engine.create("broken")
    assert ran.errors == ["the engine ended in the middle (exit code 3): a panic"]
    assert engine.create("acme--web").code == 0
    engine.close()


def test_a_stop_reaches_a_run(pulumi: FakePulumi, tmp_path: Path) -> None:
    engine = Engine(tmp_path, pulumi.environment)
    pids: list[int] = []

    def started(pid: int) -> None:
        pids.append(pid)
        wait_for(lambda: requests(tmp_path))
        engine.stop()

    ran = engine.run("up", "acme--web", lambda: None, started=started)
    assert ran.interrupted
    assert ran.errors == ["update cancelled"]
    engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], signal.SIGCONT)


def test_more_options_are_for_the_command(pulumi: FakePulumi, tmp_path: Path) -> None:
    pulumi.tells("up")
    engine = Engine(tmp_path, pulumi.environment)
    assert engine.run("up", "acme--web", lambda: None, options=["--target", "x"]).code == 0
    assert requests(tmp_path) == []
    assert "--target x" in pulumi.texts[0]
