from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from localcloud.clock import render
from localcloud.neon import calendar as calendar_module
from localcloud.neon.calendar import Appointment, Calendar
from localcloud.neon.errors import ApiError


def ago(seconds: float) -> str:
    return render(datetime.now(UTC) - timedelta(seconds=seconds))


def test_what_is_due_is_done_in_order_and_what_is_to_come_is_waited_for() -> None:
    async def scene() -> None:
        done: list[str] = []
        pending = {"late": ago(-0.2), "second": ago(1), "first": ago(2)}
        finished = asyncio.Event()

        async def keep(name: str) -> None:
            del pending[name]
            done.append(name)
            if not pending:
                finished.set()

        calendar = Calendar()
        calendar.open(
            lambda: [Appointment(due, partial(keep, name)) for name, due in pending.items()]
        )
        await asyncio.wait_for(finished.wait(), 10)
        assert done == ["first", "second", "late"]
        pending["added"] = ago(0)
        finished.clear()
        calendar.changed()
        await asyncio.wait_for(finished.wait(), 10)
        await calendar.close()

    asyncio.run(scene())


def test_what_is_refused_or_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        calls = 0
        finished = asyncio.Event()

        async def keep() -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise ApiError(423, "busy")
            if calls == 2:
                raise ValueError("broken")
            finished.set()

        calendar = Calendar()
        calendar.open(lambda: [] if finished.is_set() else [Appointment(ago(1), keep)])
        await asyncio.wait_for(finished.wait(), 10)
        await calendar.close()

    monkeypatch.setattr(calendar_module, "_RETRY_SECONDS", 0.01)
    asyncio.run(scene())
