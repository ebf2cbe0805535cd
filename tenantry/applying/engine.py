"""One run of the engine that changes something: its process, its events, and what becomes of Ctrl-C."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, Self

from tenantry.running.stack import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COMMAND: Final = (
    *("pulumi", "up", "--yes", "--skip-preview", "--non-interactive"),
    *("--color", "never", "--suppress-outputs", "--suppress-progress"),
)
_CHUNK: Final = 1 << 16
_LOOK: Final = 0.1
"""Seconds between two looks whether the engine has ended, while it says nothing."""
_TOLD: Final = (
    "What is in flight is finished, and nothing more begins. Ctrl-C again ends it at once.",
    "Ends at once. What was in flight may be done and not noted: tenantry up settles it.",
)


@dataclass(frozen=True)
class Ended:
    """How the process ended."""

    code: int
    said: str
    """What it printed beside its events, the last of it."""
    interrupted: bool


def apply(
    environment: Mapping[str, str],
    options: Sequence[str],
    take: Callable[[Mapping[str, Any]], None],
    started: Callable[[int], None] | None = None,
) -> Ended:
    """Run `pulumi up` to its end, without asking and without a preview.

    The first SIGINT, SIGTERM or SIGHUP lets the engine finish what it has begun, and the second lets it end at once, as the engine's own
    first and second Ctrl-C do. It runs in a session of its own, so that a Ctrl-C in the terminal reaches it through here alone.

    :param environment: the variables to run `pulumi` with: backend, passphrase, stack
    :param options: more for `pulumi up`
    :param take: takes each event of the engine, as it comes
    :param started: is told the process id as soon as it runs
    :raises StackError: there is no `pulumi`
    """
    with TemporaryDirectory(prefix="tenantry-") as scratch, TemporaryFile("w+") as said:
        events = Path(scratch) / "events"
        os.mkfifo(events, 0o600)
        # The other end is held open here as well, so that there is no end of file before the engine has opened it.
        reader = os.open(events, os.O_RDWR | os.O_NONBLOCK)
        try:
            with (
                _Signals() as signals,
                _start(environment, ["--event-log", str(events), *options], said) as process,
            ):
                signals.follow(process)
                try:
                    if started is not None:
                        started(process.pid)
                    for event in _events(reader, process):
                        take(event)
                except BaseException:
                    # Nobody can be told any more, as behind a closed pipe: it ends in order, and is not left alone.
                    _send(process)
                    for _ in _events(reader, process):
                        pass
                    raise
        finally:
            os.close(reader)
        said.seek(0)
        return Ended(process.returncode, said.read().strip(), bool(signals.came))


def _start(
    environment: Mapping[str, str], options: Sequence[str], said: IO[str]
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 the arguments are ours
            [*_COMMAND, *options],
            # It opens the way to the events (`--event-log`), and to nothing else.
            env={**environment, "PULUMI_DEBUG_COMMANDS": "true"},
            stdin=subprocess.DEVNULL,
            # Not a pipe to here: whoever ends this process would end the engine in the middle of a step, by SIGPIPE.
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise StackError(
            "pulumi is not on PATH: make engine, then .venv/bin first on PATH"
        ) from None


def _events(reader: int, process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Give the events until the process has ended and all that it wrote is read."""
    rest = b""
    ended = False
    while True:
        readable, _, _ = select.select([reader], [], [], 0 if ended else _LOOK)
        if readable:
            *lines, rest = (rest + os.read(reader, _CHUNK)).split(b"\n")
            for line in lines:
                if isinstance(event := json.loads(line), dict):
                    yield event
        elif ended:
            return
        else:
            ended = process.poll() is not None


class _Signals:
    """Hands signals on to the engine for the length of a block."""

    def __init__(self) -> None:
        self.came = 0
        self.engine: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        # Before there is an engine: one that came in between would leave it alone.
        self._before = {each: signal.signal(each, self._take) for each in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def follow(self, engine: subprocess.Popen[str]) -> None:
        self.engine = engine
        if self.came:
            _send(engine)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self.came += 1
        if self.came <= len(_TOLD):
            # Not print: the handler may run in the middle of one.
            os.write(2, f"\n{_TOLD[self.came - 1]}\n".encode())
        if self.engine is not None:
            _send(self.engine)


def _send(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        # The command alone: it tells its plugins itself.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
