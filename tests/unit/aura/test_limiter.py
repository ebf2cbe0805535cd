import multiprocessing
import stat
import time
from pathlib import Path

import pytest

from tenantry.aura.clock import Clock, Deadline
from tenantry.aura.errors import AuraDeadlineError, AuraStateError
from tenantry.aura.limiter import RateLimiter
from tests.unit.aura.support import NOW, FakeTime


def limiter(folder: Path, time: FakeTime, per_minute: int = 3) -> RateLimiter:
    return RateLimiter(folder / "state" / "requests", per_minute, time.clock)


def test_a_minutes_worth_goes_at_once_and_the_next_waits(tmp_path: Path) -> None:
    fake = FakeTime()
    pace = limiter(tmp_path, fake)
    moments = []
    for _ in range(7):
        pace.acquire(Deadline(fake.clock, 1000))
        moments.append(fake.now - NOW)
    assert moments == [0, 0, 0, 60, 60, 60, 120]


def test_what_another_process_sent_counts(tmp_path: Path) -> None:
    fake = FakeTime()
    for _ in range(3):
        limiter(tmp_path, fake).acquire(Deadline(fake.clock, 1000))
    limiter(tmp_path, fake).acquire(Deadline(fake.clock, 1000))
    assert fake.slept == [60]


def test_a_turn_past_the_deadline_is_not_taken(tmp_path: Path) -> None:
    fake = FakeTime()
    pace = limiter(tmp_path, fake, 1)
    pace.acquire(Deadline(fake.clock, 30))
    with pytest.raises(AuraDeadlineError, match=r"may go in 60 s \(1 a minute"):
        pace.acquire(Deadline(fake.clock, 30))
    fake.now += 60
    pace.acquire(Deadline(fake.clock, 30))
    assert fake.slept == []


def test_a_hold_is_for_everybody_and_ends(tmp_path: Path) -> None:
    fake = FakeTime()
    limiter(tmp_path, fake).hold(42)
    limiter(tmp_path, fake).acquire(Deadline(fake.clock, 1000))
    assert fake.slept == [42]
    limiter(tmp_path, fake).acquire(Deadline(fake.clock, 1000))
    assert fake.slept == [42]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"sent": 1}', '{"sent": ["x", 9e99], "held": 9e99}']
)
def test_a_broken_file_or_a_clock_set_back_stops_nobody(tmp_path: Path, content: str) -> None:
    fake = FakeTime()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "requests").write_text(content)
    limiter(tmp_path, fake).acquire(Deadline(fake.clock, 10))
    assert fake.slept == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(AuraStateError, match=r"state: .*: set AURA_STATE_FOLDER"):
        limiter(tmp_path, FakeTime()).acquire(Deadline(FakeTime().clock, 10))


def test_the_file_is_its_owners(tmp_path: Path) -> None:
    fake = FakeTime()
    limiter(tmp_path, fake).acquire(Deadline(fake.clock, 10))
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "state").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def _turns(file: Path, count: int) -> None:
    pace = RateLimiter(file, 5, Clock())
    for _ in range(count):
        try:
            pace.acquire(Deadline(Clock(), 1))
        except AuraDeadlineError:
            continue
        with file.with_name(f"turns-{time.monotonic_ns()}").open("x") as turn:
            turn.write("x")


def test_processes_at_once_do_not_exceed_it_together(tmp_path: Path) -> None:
    file = tmp_path / "requests"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_turns, args=(file, 4)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.glob("turns-*"))) == 5
