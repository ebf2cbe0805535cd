import threading
import time

import pytest

from tenantry.provisioning.pauses import StoppedError, pause, stopping

LONG = 60


def test_a_stop_ends_the_pauses_of_its_own_run_alone() -> None:
    stopped, other = threading.Event(), threading.Event()
    ended: list[str] = []

    def wait(event: threading.Event, name: str) -> None:
        with stopping(event):
            try:
                pause(LONG)
            except StoppedError as error:
                ended.append(f"{name}: {error}")

    threads = [
        threading.Thread(target=wait, args=each)
        for each in ((stopped, "stopped"), (other, "other"))
    ]
    for thread in threads:
        thread.start()
    stopped.set()
    threads[0].join(LONG / 2)
    assert ended == ["stopped: ended because the run was stopped: tenantry up goes on"]
    assert threads[1].is_alive()
    other.set()
    threads[1].join(LONG / 2)
    assert len(ended) == 2


def test_outside_of_a_run_a_pause_is_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    stopped = threading.Event()
    stopped.set()
    with stopping(stopped), pytest.raises(StoppedError):
        pause(LONG)
    pause(7)
    assert slept == [7]
