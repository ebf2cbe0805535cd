"""One operation of the engine on one stack: one process, the program in this one, the result from the engine's events.

The SDK's `Stack.up` starts the command four times: to select the stack, to run, to read outputs and to read history.
Here the program is served to the one run that does something, and what it did comes from its events, in which the
engine masks secrets.
"""

from __future__ import annotations

import queue
import shutil
import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal, Protocol

from providers.provider import Surroundings
from tenantry.budgets.drawing import draw
from tenantry.running.actor import VARIABLE, actor_of
from tenantry.running.command import Command, find_pulumi
from tenantry.running.dynamic import DynamicProviders, attached
from tenantry.running.errors import EngineError
from tenantry.running.events import Watch
from tenantry.running.resident import Resident, find_resident
from tenantry.running.serving import Events, serve
from tenantry.running.settings import secrets_provider, setting_in, settings_of
from tenantry.running.words import is_locked, reason_of, refusal_of, without_login
from tenantry.surroundings import without_foreign
from tenantry.tracing import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tenantry.budgets.drawing import Drawing
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
_NOTHING: Final[Mapping[str, str]] = {}
CHANGING: Final = frozenset({"up", "destroy"})
_LOOK: Final = 0.1
"""Seconds between two looks whether the engine has ended, while it says nothing."""
_CLOSING: Final = 5.0
"""Seconds that the last events have to arrive after the engine has ended."""


class Begun(Protocol):
    """An operation that was begun: a run of the command, or a request to the engine that stays."""

    @property
    def pid(self) -> int:
        """The engine's process id."""

    def poll(self) -> int | None:
        """Return the exit code; None while it is under way."""

    def wait(self) -> int:
        """Return the exit code once it has ended."""

    def interrupt(self) -> None:
        """Ask it to end: after its current steps at the first call, at once at the second."""

    def said(self) -> str:
        """Return what the command printed on standard error."""


class Lease(Protocol):
    """The right to work on stacks for as long as it is renewed; after it, others may go on."""

    seconds: float
    """How long an engine may work after it was renewed last."""

    def begins(self, engine: Resident) -> None:
        """Note an engine before it is asked for anything: renew it from now on, kill it where the lease is lost.

        :raises TenantryError: the lease is lost
        """


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
    def may_pass(self) -> bool:
        """Whether it may go well a little later, by what the command said."""
        return not self.watch.errors and self.refusal is not None and self.refusal.may_pass

    @property
    def held(self) -> bool:
        """Whether another run holds the stack, so that nothing was begun."""
        return self.code != 0 and is_locked(self.said)


class Engine:
    """Runs the engine on stacks of one project. What stays between two operations ends with `close`, or with this."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        shared_settings: Path | None = None,
        parallel: int | None = None,
        lease: Lease | None = None,
    ) -> None:
        """Start nothing yet.

        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables to run `pulumi` with: backend, passphrase, keys of the clouds
        :param shared_settings: the settings that all stacks share, in the form of a stack's file, which need not be
            there; None where each stack has its own
        :param parallel: how many resources of a stack are worked on at once; the engine's own default is 4 for each
            core
        :param lease: what its work is bound to; only this project's own build of the engine knows one
        :raises EngineError: there is no `pulumi`, or it knows no lease
        """
        self._command = find_pulumi(environment)
        self._folder = folder
        self._shared = shared_settings
        self._parallel = parallel
        self._environment = {
            **without_foreign(environment),
            # It opens the way to the events (`--event-log`), and to nothing else.
            "PULUMI_DEBUG_COMMANDS": "true",
            # A stack that was there before keeps its own key: its settings need not be kept anywhere.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The engine that stays reads it there.
            VARIABLE: actor_of(environment),
        }
        # It would name another stack than the one that is meant.
        self._environment.pop("PULUMI_STACK", None)
        self._running: dict[str, Begun] = {}
        self._lock = threading.Lock()
        self._resident_command = find_resident(self._command)
        self._lease = lease
        if lease is not None and self._resident_command is None:
            raise EngineError(
                f"{self._command} is another's build and cannot end by itself when its worker is lost: "
                "TENANTRY_ENGINE=build tenantry engine makes one that can"
            )
        self._resident: Resident | None = None
        self._drawing: Drawing | None = None
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
        process leaves the engine to end in order what its plugins do; what the dynamic providers do ends with this
        process, and the next run finds it.

        :param program: what the stack is to hold; it is called once, in a thread of its own
        :param tell: is told of each event as it comes, and what happened by it, in this thread
        :param watch: follows the run; by default one that expects nothing
        :param options: more for the `pulumi` command
        :param message: what the history of the stack says of the run
        :param started: is told the process id as soon as it runs
        """
        ran = Ran(1, watch or Watch())
        events = Events()
        providers = DynamicProviders(Surroundings(self._environment, self._folder))
        with (
            span(f"engine {operation}", stack=stack),
            TemporaryDirectory(prefix="tenantry-") as scratch,
            serve(program, events, providers) as address,
        ):
            settings = self._settings_in(Path(scratch), stack)
            self._draw(settings)

            def begin() -> Begun:
                if self._resident_command and not options:
                    return self._ask(operation, stack, settings, address, message)
                return self._command_of(
                    [
                        *_ARGUMENTS[operation],
                        *("--stack", stack, "--client", address),
                        *("--event-log", f"tcp://{address}", "--config-file", str(settings)),
                        *("--exec-kind", "auto.inline", "--color", "never"),
                        *("--suppress-outputs", "--suppress-progress"),
                        *(
                            ["--exec-agent", self._environment[VARIABLE]]
                            if operation in CHANGING
                            else []
                        ),
                        *(["--parallel", str(self._parallel)] if self._parallel else []),
                        *(["--message", message] if message and operation in CHANGING else []),
                        *options,
                    ],
                    self._folder,
                    attached(address),
                )

            with self._begin(stack, begin) as begun:
                try:
                    if started is not None:
                        started(begun.pid)
                    for event in _taken(events, begun):
                        tell(event, ran.watch.take(event))
                except BaseException:
                    # Nobody can be told any more, as behind a closed pipe: it ends in order, and is not left alone.
                    begun.interrupt()
                    for _ in _taken(events, begun):
                        pass
                    raise
                finally:
                    ran.code = begun.wait()
            self._hear(ran, begun, stack)
        ran.interrupted = self._stops > 0 and ran.code != 0
        return ran

    @property
    def shared(self) -> bool:
        """Whether one process serves all stacks."""
        return self._resident_command is not None

    def create(self, stack: str) -> Ran:
        """Make a stack without resources. One that is there is a success. The folder's files stay as they are."""
        with TemporaryDirectory(prefix="tenantry-") as scratch:
            folder = Path(scratch)
            settings = self._settings_in(folder, stack)

            def begin() -> Begun:
                if self._resident_command:
                    return self._ask("create", stack, settings)
                # `stack init` writes the stack's file beside Pulumi.yaml, wherever that is.
                shutil.copyfile(self._folder / "Pulumi.yaml", folder / "Pulumi.yaml")
                arguments = ["stack", "init", stack, "--no-select", "--color", "never"]
                if provider := secrets_provider(settings):
                    arguments += ["--secrets-provider", provider]
                return self._command_of(arguments, folder)

            with self._begin(stack, begin) as begun:
                code = begun.wait()
            ran = Ran(code, interrupted=self._stops > 0 and code != 0)
            self._hear(ran, begun, stack)
        if "already exists" in ran.said:
            ran.code = 0
        return ran

    def stop(self) -> None:
        """Ask what runs to end: after its current steps at the first call, at once at the second.

        It may be called from a signal's handler.
        """
        self._stops += 1
        if self._resident is not None:
            # It is one process for all of them.
            self._resident.interrupt()
        for begun in list(self._running.values()):
            if isinstance(begun, Command):
                begun.interrupt()

    def close(self) -> None:
        """End what stays between two operations. None may be under way."""
        with self._lock:
            resident, self._resident = self._resident, None
            drawing, self._drawing = self._drawing, None
        if resident is not None:
            resident.close()
        if drawing is not None:
            drawing.stop()

    def _draw(self, settings: Path) -> None:
        """Draw on what all machines may ask of Neon, from the first operation on."""
        with self._lock:
            if self._drawing is None:
                organization = setting_in(settings, self._folder, "tenantry:neonOrgId")
                self._drawing = draw(
                    self._environment, organization or self._environment.get("NEON_ORG_ID", "")
                )
                if self._drawing is not None:
                    weakref.finalize(self, self._drawing.stop)

    def _hear(self, ran: Ran, begun: Begun, stack: str) -> None:
        """Note what the command printed, and what is wrong by that."""
        ran.said = without_login(begun.said(), self._environment)
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

    @contextmanager
    def _begin(self, stack: str, begin: Callable[[], Begun]) -> Iterator[Begun]:
        """Begin one operation, and note it for as long as the block lasts."""
        with self._lock:
            if stack in self._running:
                raise EngineError(f"stack {stack}: this process is at work on it already")
            begun = self._running[stack] = begin()
        if self._stops and isinstance(begun, Command):
            # The signal came before there was an engine.
            begun.interrupt()
        try:
            yield begun
        finally:
            with self._lock:
                self._running.pop(stack, None)

    def _command_of(
        self, arguments: Sequence[str], folder: Path, more: Mapping[str, str] = _NOTHING
    ) -> Begun:
        return Command(self._command, arguments, folder, {**self._environment, **more})

    def _ask(
        self,
        operation: Operation | Literal["create"],
        stack: str,
        settings: Path,
        address: str = "",
        message: str = "",
    ) -> Begun:
        """Ask the engine that stays; it is started for the first operation, and anew where it has died."""
        assert self._resident_command is not None  # noqa: S101 who asks has looked
        if self._resident is None or not self._resident.alive:
            seconds = self._lease.seconds if self._lease else None
            resident = Resident(self._resident_command, self._folder, self._environment, seconds)
            # Whoever forgets to close it, or fails, leaves no process behind.
            weakref.finalize(self, resident.close)
            if self._lease is not None:
                self._lease.begins(resident)
            self._resident = resident
            if self._stops:
                self._resident.interrupt()
        return self._resident.ask(
            operation,
            stack,
            address=address,
            settings=str(settings),
            parallel=self._parallel or 0,
            message=message,
        )


def _taken(events: Events, begun: Begun) -> Iterator[Event]:
    """Give the events until the engine has no more, or has ended without a word."""
    rest: float | None = None
    while rest is None or rest > 0:
        try:
            event = events.came.get(timeout=_LOOK)
        except queue.Empty:
            if rest is not None:
                rest -= _LOOK
            elif begun.poll() is not None:
                # Its last events may still be on their way.
                rest = _CLOSING if events.begun else 0.0
            continue
        if event is None:
            return
        yield event


@dataclass(frozen=True)
class Target:
    """A stack, what it is to hold, and the engine that brings it there."""

    engine: Engine
    stack: str
    program: Callable[[], None]
    """Declares what the stack is to hold."""
