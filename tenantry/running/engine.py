"""One operation of the engine on one stack: one process, the program in this one, the result from the engine's events.

The SDK's `Stack.up` starts the command four times: to select the stack, to run, to read outputs and to read history. Here the program
is served to the one run that does something, and what it did comes from its events, in which the engine masks secrets.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal

import grpc  # type: ignore[import-untyped]  # it has none
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import events_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2

from tenantry.engine.pins import POSTGRESQL, RANDOM
from tenantry.fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OperationKind = Literal["up", "destroy", "preview", "preview destroy", "look"]
"""`look`: what differs between clouds and state; the last three change nothing."""

_ARGUMENTS: Final[Mapping[OperationKind, tuple[str, ...]]] = {
    "up": ("up", "--yes", "--skip-preview"),
    # What is left is the stack itself, which goes too.
    "destroy": ("destroy", "--yes", "--skip-preview", "--run-program=true", "--remove"),
    "preview": ("preview",),
    "preview destroy": ("destroy", "--preview-only", "--run-program=true"),
    # The program has no say in it; and engine 3.259 fails in a refresh that runs it once something is gone.
    "look": ("refresh", "--preview-only", "--run-program=false"),
}
_THREADS: Final = 4
"""The engine holds one for the program and one for its events, and asks small questions beside them."""
_CLOSING: Final = 5.0
"""Seconds that the program and the last events have to end after the engine did."""
_STDERR_LINES: Final = 40
_BOOKKEEPING: Final = frozenset({"same", "read", "discard", "refresh"})
STACK_TYPE: Final = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Step:
    """Something that the engine does to one resource."""

    op: str
    """The engine's word: `create`, `update`, `replace`, `delete`, …"""
    type: str
    name: str
    done: bool
    """Whether it has ended; each step is told twice."""

    @property
    def kind(self) -> str:
        """The last word of its type: `Project`, `Role`."""
        return self.type.rsplit(":", 1)[-1]


@dataclass
class Ran:
    """How an operation ended."""

    code: int
    changes: Counter[str] = field(default_factory=Counter)
    """How many resources had each operation, without those that stayed as they were."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """All that the engine said, where the operation changes nothing (`tenantry.planning.events`)."""
    errors: list[str] = field(default_factory=list)
    """What the engine, the program and the providers said was wrong."""
    warnings: list[str] = field(default_factory=list)
    ended: bool = False
    """Whether the engine came to its summary."""
    interrupted: bool = False
    """Whether it was asked to stop."""


class Engine:
    """Runs the `pulumi` command on stacks of one project."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        settings: Path | None = None,
        parallel: int | None = None,
    ) -> None:
        """Start nothing yet.

        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables to run `pulumi` with
        :param settings: the settings that all stacks share, in the form of a stack's file; None where there are none
        :param parallel: how many resources of a stack are worked on at once; the engine's own default is 4 for each core
        """
        command = shutil.which("pulumi", path=environment.get("PATH"))
        if command is None:
            raise FleetError("pulumi is not on PATH: make engine, then .venv/bin first on PATH")
        self._command = command
        self._folder = folder
        self._settings = settings
        self._parallel = parallel
        self._environment = {
            "PULUMI_PYTHON_CMD": sys.executable,
            **environment,
            # It opens the way to the events (`--event-log`), and to nothing else.
            "PULUMI_DEBUG_COMMANDS": "true",
            # A stack that was there before keeps its own key: its settings need not be kept anywhere.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        # Would name another stack than the one that is meant.
        self._environment.pop("PULUMI_STACK", None)
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()
        self._stopping = 0

    def run(
        self,
        operation: OperationKind,
        stack: str,
        program: Callable[[], None],
        *,
        message: str = "",
        on_step: Callable[[Step], None] | None = None,
        environment: Mapping[str, str] | None = None,
        create: bool = False,
    ) -> Ran:
        """Do one operation on one stack and wait for its end.

        :param program: what the stack is to hold; it is called once, in a thread of its own
        :param message: what the history of the stack says of the run
        :param on_step: is told of each step that changes something, from another thread
        :param environment: variables for this run beside those of the engine
        :param create: the stack is not there yet; one that somebody made meanwhile is taken as it is
        """
        ran = Ran(code=1)
        with TemporaryDirectory(prefix="tenantry-") as scratch:
            settings = self._settings_file(Path(scratch), stack)
            if create:
                failed = self._create(Path(scratch), stack, environment or {})
                if failed is not None:
                    return failed
            kept = ran.events if operation not in {"up", "destroy"} else None
            with _served(program, ran, kept, on_step) as address:
                arguments = [
                    *_ARGUMENTS[operation],
                    *("--stack", stack, "--client", address, "--event-log", f"tcp://{address}"),
                    *("--config-file", str(settings), "--exec-kind", "auto.inline"),
                    *("--suppress-outputs", "--suppress-progress", "--color", "never"),
                    *(["--parallel", str(self._parallel)] if self._parallel else []),
                    *(["--message", message] if message and operation in {"up", "destroy"} else []),
                ]
                process = self._start(arguments, stack, environment or {}, self._folder)
                said = self._wait(process, stack)
        ran.code = process.returncode
        if ran.code and not ran.errors:
            ran.errors = _errors(said)
        ran.interrupted = self._stopping > 0 and ran.code != 0
        return ran

    def stop(self) -> None:
        """Ask what runs to end: after its current steps at the first call, at once at the second."""
        with self._lock:
            self._stopping += 1
            running = list(self._running.values())
        for process in running:
            _signal(process, signal.SIGINT)

    def _settings_file(self, scratch: Path, stack: str) -> Path:
        # A copy: the engine writes the key's parameters into it, and many engines write at once.
        file = scratch / f"Pulumi.{stack}.yaml"
        if self._settings is not None and self._settings.exists():
            shutil.copyfile(self._settings, file)
        else:
            file.write_text("{}\n")
        return file

    def _create(self, scratch: Path, stack: str, environment: Mapping[str, str]) -> Ran | None:
        """Make the stack; None where it is there then. `pulumi up` makes none without a terminal."""
        # `stack init` writes the stack's file beside Pulumi.yaml, wherever that is.
        shutil.copyfile(self._folder / "Pulumi.yaml", scratch / "Pulumi.yaml")
        provider = _secrets_provider(scratch / f"Pulumi.{stack}.yaml")
        arguments = ["stack", "init", stack, "--no-select", "--color", "never"]
        if provider:
            arguments += ["--secrets-provider", provider]
        process = self._start(arguments, stack, environment, scratch)
        said = self._wait(process, stack)
        if process.returncode == 0 or "already exists" in said:
            return None
        return Ran(process.returncode, errors=_errors(said), interrupted=self._stopping > 0)

    def _start(
        self, arguments: list[str], stack: str, environment: Mapping[str, str], folder: Path
    ) -> subprocess.Popen[str]:
        with self._lock:
            process = subprocess.Popen(  # noqa: S603 the arguments are ours
                [self._command, "--non-interactive", *arguments],
                cwd=folder,
                env={**self._environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Ctrl-C in the terminal is for the fleet, which decides what becomes of what is in flight.
                start_new_session=True,
            )
            self._running[stack] = process
            if self._stopping > 1:
                _signal(process, signal.SIGINT)
        return process

    def _wait(self, process: subprocess.Popen[str], stack: str) -> str:
        assert process.stderr is not None  # noqa: S101 it is a pipe
        try:
            with process.stderr as stream:
                said = "".join(stream.readlines()[-_STDERR_LINES:])
            process.wait()
        finally:
            with self._lock:
                self._running.pop(stack, None)
        return said


class Program(LanguageServer):
    """Serves the program, and tells which plugins it needs.

    Where nothing is told, as by the SDK's own server, the engine takes versions from the state: the second run of a stack would then
    change the version of Neon's provider to that of the plugin which it is built on.
    """

    def GetRequiredPackages(self, _request: object, _context: object) -> Any:  # noqa: ANN401, N802 gRPC's
        """Tell which plugins the program needs."""
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(name=name, kind="resource", version=version)
                for name, version in (("random", RANDOM), ("postgresql", POSTGRESQL))
            ]
        )


class _Events(events_pb2_grpc.EventsServicer):
    """Takes the engine's events as they come."""

    def __init__(
        self,
        ran: Ran,
        kept: list[dict[str, Any]] | None,
        on_step: Callable[[Step], None] | None,
    ) -> None:
        self._ran = ran
        self._kept = kept
        self._on_step = on_step
        self.finished = threading.Event()
        self.begun = False

    def StreamEvents(self, requests: Iterator[Any], _context: object) -> Any:  # noqa: ANN401, N802 gRPC's
        self.begun = True
        try:
            for request in requests:
                self._take(json.loads(request.event))
        finally:
            self.finished.set()
        return empty_pb2.Empty()

    def _take(self, event: dict[str, Any]) -> None:
        if self._kept is not None:
            self._kept.append(event)
        if step := event.get("resourcePreEvent"):
            self._step(step["metadata"], done=False)
        elif step := event.get("resOutputsEvent"):
            self._step(step["metadata"], done=True)
        elif diagnostic := event.get("diagnosticEvent"):
            text = str(diagnostic.get("message") or "").strip()
            kept = {"error": self._ran.errors, "warning": self._ran.warnings}.get(
                diagnostic.get("severity", "")
            )
            if kept is not None and text and not diagnostic.get("ephemeral"):
                kept.append(_plain(text))
        elif "summaryEvent" in event:
            self._ran.ended = True
            counts = event["summaryEvent"].get("resourceChanges") or {}
            self._ran.changes = Counter(
                {op: int(count) for op, count in counts.items() if op not in _BOOKKEEPING}
            )

    def _step(self, metadata: Mapping[str, Any], *, done: bool) -> None:
        op = str(metadata.get("op"))
        if self._on_step is None or op in _BOOKKEEPING or metadata.get("type") == STACK_TYPE:
            return
        name = str(metadata.get("urn")).rsplit("::", 1)[-1]
        self._on_step(Step(op, str(metadata.get("type")), name, done))


class _served:  # noqa: N801 a context manager
    """Serves the program and takes the events, on one port of this machine, for the length of a block."""

    def __init__(
        self,
        program: Callable[[], None],
        ran: Ran,
        kept: list[dict[str, Any]] | None,
        on_step: Callable[[Step], None] | None,
    ) -> None:
        self._events = _Events(ran, kept, on_step)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS)
        self._server = grpc.server(self._threads, options=_GRPC_CHANNEL_OPTIONS)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Program(program), self._server)
        events_pb2_grpc.add_EventsServicer_to_server(self._events, self._server)

    def __enter__(self) -> str:
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        # The engine closes its stream before it ends; what it sent last may still be on its way.
        if self._events.begun:
            self._events.finished.wait(_CLOSING)
        # A program whose engine is gone ends by itself.
        self._server.stop(_CLOSING).wait(_CLOSING + 1)
        self._threads.shutdown(wait=False)


def _secrets_provider(settings: Path) -> str | None:
    import yaml

    found = yaml.safe_load(settings.read_text("utf-8")) or {}
    provider = found.get("secretsprovider")
    # With a key of its own the file is used as it is.
    return str(provider) if provider and not found.get("encryptedkey") else None


def _errors(said: str) -> list[str]:
    """Find in the command's own words what is wrong: `error: …` and what follows it."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if line.startswith("error: "):
            return ["\n".join([line.removeprefix("error: "), *lines[number + 1 :]])]
    return ["\n".join(lines[-3:]) or "the engine ended without a word"]


def _plain(text: str) -> str:
    # Colors come as `<{%fg 1%}>`, for a terminal to put in.
    parts = text.split("<{%")
    return parts[0] + "".join(part.partition("%}>")[2] for part in parts[1:])


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:
        # The command alone: it tells its plugins itself.
        os.kill(process.pid, number)
