from __future__ import annotations

from localcloud.clock import Clock, parse, render


def test_readings_never_repeat_and_text_order_is_time_order() -> None:
    clock = Clock()
    readings = [clock.now() for _ in range(2000)]
    assert len(set(readings)) == len(readings)
    assert readings == sorted(readings)


def test_what_is_written_can_be_read() -> None:
    text = Clock().now()
    assert render(parse(text)) == text
