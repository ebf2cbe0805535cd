import pytest

from tenantry.engine.progress import Progress, duration


def test_durations_read_well() -> None:
    assert [duration(each) for each in (0.4, 59, 60, 185)] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "3 min 5 s",
    ]


def test_steps_are_numbered_and_short_ones_are_one_line(lines: list[str]) -> None:
    steps = Progress(lines.append, 2)
    with steps.step("first"):
        steps.tick("1 of 9")
    with steps.step("second"):
        pass
    assert lines == ["[1/2] first", "[2/2] second"]


def test_long_steps_tell_how_far_they_are(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("tenantry.engine.progress.time.monotonic", lambda: now)
    steps = Progress(lines.append, 1)
    with steps.step("compile"):
        now += 5
        steps.tick("10 packages")
        now += 20
        steps.tick("40 packages")
        now += 50
    assert lines == ["[1/1] compile", "      40 packages, 25 s", "      done in 1 min 15 s"]
