"""One operation of the engine on one stack: one process, the program in this one, the result from the engine's events.

The SDK's `Stack.up` starts the command four times: to select the stack, to run, to read outputs and to read history.
Here the program is served to the one run that does something, and what it did comes from its events, in which the
engine masks secrets.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING, Final, Literal

from tenantry.running.command import find_pulumi
from tenantry.running.errors import EngineError
from tenantry.running.events import Watch
from tenantry.running.serving import Events, serve
from tenantry.running.settings import secrets_provider, settings_of
from tenantry.running.words import is_locked, reason_of, refusal_of, without_login
from tenantry.surroundings import without_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tenantry.running.errors import StackError
    from tenantry.running.events import Said, Step
    from tenantry.running.serving import Event

    Tell = Callable[[Event, Step | Said | None], None]

Operation = Literal["up", "destroy", "preview", "preview destroy", "look"]
"""`look`: what differs between clouds and state; the last three change nothing."""

_ARGUMENTS: Final[Mapping[Operation, tuple[str, ...]]] = {
    "up": ("up", "--yes", "--skip-preview"),
    # What is left is the stack itself, which goes too.
    "destroy": ("destroy", "--yes", "--skip-preview", "--run-program=true", "--remove"),
    "preview": ("preview",),
    "preview destroy": ("destroy", "--preview-only", "--run-program=true"),
    # What differs does not depend on an edit of the registry, so the program has no say in it. And engine 3.259 fails
    # in a refresh that runs it once something is gone ("cannot complete a resource whose registration isn't pending").
    "look": ("refresh", "--preview-only", "--run-program=false"),
}
CHANGING: Final = frozenset({"up", "destroy"})
_LOOK: Final = 0.1
"""Seconds between two looks whether the engine has ended, while it says nothing."""
_CLOSING: Final = 5.0
"""Seconds that the last events have to arrive after the engine has ended."""
_SAID: Final = 1 << 14
"""Bytes of what the command printed that are kept, from its end."""


@dataclass
class Ran:
    """How an operation ended."""

    code: int
    watch: Watch = field(default_factory=Watch)
    """What was done, and what was said."""
    said: str = ""
    """What the command printed beside its events, the last of it."""
    refusal: StackError | None = None
    """What is wrong by that, in our words; None where there are none for it."""
    interrupted: bool = False
    """Whether it did not succeed, and had been asked to stop."""

    @property
    def errors(self) -> list[str]:
        """What is wrong, where it is: from the events, or in the command's own words where it did not come so far."""
        if self.watch.errors or self.code == 0:
            return self.watch.errors
        return [str(self.refusal) if self.refusal else reason_of(self.said)]

    @property
    def held(self) -> bool:
        """Whether another run holds the stack, so that nothing was begun."""
        return self.code != 0 and is_locked(self.said)


class Engine:
    """Runs the `pulumi` command on stacks of one project."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        shared_settings: Path | None = None,
        parallel: int | None = None,
    ) -> None:
        """Start nothing yet.

        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables to run `pulumi` with: backend, passphrase, keys of the clouds
        :param shared_settings: the settings that all stacks share, in the form of a stack's file, which need not be
            there; None where each stack has its own
        :param parallel: how many resources of a stack are worked on at once; the engine's own default is 4 for each
            core
        :raises EngineError: there is no `pulumi`
        """
        self._command = find_pulumi(environment)
        self._folder = folder
        self._shared = shared_settings
        self._parallel = parallel
        self._environment = {
            # The dynamic providers are run by what the program runs in.
            "PULUMI_PYTHON_CMD": sys.executable,
            **without_foreign(environment),
            # It opens the way to the events (`--event-log`), and to nothing else.
            "PULUMI_DEBUG_COMMANDS": "true",
            # A stack that was there before keeps its own key: its settings need not be kept anywhere.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        # It would name another stack than the one that is meant.
        self._environment.pop("PULUMI_STACK", None)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._stops = 0

    def run(
        self,
        operation: Operation,
        stack: str,
        program: Callable[[], None],
        *,
        tell: Tell = lambda _event, _happened: None,
        watch: Watch | None = None,
        options: Sequence[str] = (),
        message: str = "",
        started: Callable[[int], None] | None = None,
    ) -> Ran:
        """Do one operation on one stack and wait for its end.

        It runs in a session of its own: a Ctrl-C in the terminal reaches it through `stop` alone. Whoever ends this
        process leaves the engine to end its steps and its run in order.

        :param program: what the stack is to hold; it is called once, in a thread of its own
        :param tell: is told of each event as it comes, and what happened by it, in this thread
        :param watch: follows the run; by default one that expects nothing
        :param options: more for the `pulumi` command
        :param message: what the history of the stack says of the run
        :param started: is told the process id as soon as it runs
        """
        ran = Ran(1, watch or Watch())
        events = Events()
        with (
            TemporaryDirectory(prefix="tenantry-") as scratch,
            TemporaryFile() as said,
            serve(program, events) as address,
        ):
            arguments = [
                *_ARGUMENTS[operation],
                *("--stack", stack, "--client", address, "--event-log", f"tcp://{address}"),
                *("--config-file", str(self._settings_in(Path(scratch), stack))),
                *("--exec-kind", "auto.inline", "--color", "never"),
                *("--suppress-outputs", "--suppress-progress"),
                *(["--parallel", str(self._parallel)] if self._parallel else []),
                *(["--message", message] if message and operation in CHANGING else []),
                *options,
            ]
            process = self._start(arguments, stack, self._folder, said)
            try:
                if started is not None:
                    started(process.pid)
                for event in _taken(events, process):
                    tell(event, ran.watch.take(event))
            except BaseException:
                # Nobody can be told any more, as behind a closed pipe: it ends in order, and is not left alone.
                _interrupt(process)
                for _ in _taken(events, process):
                    pass
                raise
            finally:
                ran.code = self._wait(process, stack)
            self._hear(ran, said, stack)
        ran.interrupted = self._stops > 0 and ran.code != 0
        return ran

    def create(self, stack: str) -> Ran:
        """Make a stack without resources. One that is there is a success. The folder's files stay as they are."""
        with TemporaryDirectory(prefix="tenantry-") as scratch, TemporaryFile() as said:
            folder = Path(scratch)
            # `stack init` writes the stack's file beside Pulumi.yaml, wherever that is.
            shutil.copyfile(self._folder / "Pulumi.yaml", folder / "Pulumi.yaml")
            provider = secrets_provider(self._settings_in(folder, stack))
            arguments = ["stack", "init", stack, "--no-select", "--color", "never"]
            if provider:
                arguments += ["--secrets-provider", provider]
            process = self._start(arguments, stack, folder, said)
            code = self._wait(process, stack)
            ran = Ran(code, interrupted=self._stops > 0 and code != 0)
            self._hear(ran, said, stack)
        if "already exists" in ran.said:
            ran.code = 0
        return ran

    def stop(self) -> None:
        """Ask what runs to end: after its current steps at the first call, at once at the second.

        It may be called from a signal's handler.
        """
        self._stops += 1
        for process in list(self._running.values()):
            _interrupt(process)

    def _hear(self, ran: Ran, said: IO[bytes], stack: str) -> None:
        """Note what the command printed, and what is wrong by that."""
        ran.said = without_login(_end_of(said), self._environment)
        if ran.code:
            ran.refusal = refusal_of(ran.said, self._environment, stack=stack, folder=self._folder)

    def _settings_in(self, scratch: Path, stack: str) -> Path:
        # A copy: the engine writes the key's parameters into it, and many engines may write at once.
        file = scratch / f"Pulumi.{stack.rsplit('/', 1)[-1]}.yaml"
        own = self._shared or settings_of(self._folder, stack)
        if own.exists():
            shutil.copyfile(own, file)
        else:
            file.write_text("{}\n")
        return file

    def _start(
        self, arguments: Sequence[str], stack: str, folder: Path, said: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if stack in self._running:
                raise EngineError(f"stack {stack}: this process is at work on it already")
            process = subprocess.Popen(  # noqa: S603 the arguments are ours
                [self._command, "--non-interactive", *arguments],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                # No pipes to this process: if it is killed, SIGPIPE would end the engine in the middle of a step.
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
            self._running[stack] = process
        if self._stops:
            # The signal came before there was an engine.
            _interrupt(process)
        return process

    def _wait(self, process: subprocess.Popen[bytes], stack: str) -> int:
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.pop(stack, None)


def _taken(events: Events, process: subprocess.Popen[bytes]) -> Iterator[Event]:
    """Give the events until the engine has no more, or has ended without a word."""
    rest: float | None = None
    while rest is None or rest > 0:
        try:
            event = events.came.get(timeout=_LOOK)
        except queue.Empty:
            if rest is not None:
                rest -= _LOOK
            elif process.poll() is not None:
                # Its last events may still be on their way.
                rest = _CLOSING if events.begun else 0.0
            continue
        if event is None:
            return
        yield event


def _end_of(said: IO[bytes]) -> str:
    length = said.seek(0, os.SEEK_END)
    said.seek(max(length - _SAID, 0))
    return said.read().decode("utf-8", "replace").strip()


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # The command alone: it tells its plugins itself.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)


@dataclass(frozen=True)
class Target:
    """A stack, what it is to hold, and the engine that brings it there."""

    engine: Engine
    stack: str
    program: Callable[[], None]
    """Declares what the stack is to hold."""
