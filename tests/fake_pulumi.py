"""A `pulumi` that answers what a test says, and notes how it was called: one for all tests that need no engine."""

from __future__ import annotations

import json
import os
import re
import site
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Reads its answers anew at each call. It speaks to `tenantry.running.serving` without Pulumi's SDK, whose import is
# slow: a request of the events' service is one message with one text in its first field.
_SCRIPT = r"""#!PYTHON -IS
import json, os, pathlib, signal, subprocess, sys, time
here = pathlib.Path(HERE)
arguments = sys.argv[1:]
words = [each for each in arguments if not each.startswith("-")]
with open(here / "calls.jsonl", "a") as calls:
    call = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ), "pid": os.getpid()}
    calls.write(json.dumps(call) + "\n")
answers = json.loads((here / "answers.json").read_text())
names = [" ".join(words[:2]), words[0], ""]
answer = next((answers[name] for name in names if name in answers), {"code": 9})
interrupts = []
if answer.get("counts"):
    signal.signal(signal.SIGINT, lambda number, frame: interrupts.append(number))

def encoded(event):
    text = (event + "\n").encode()
    length, head = len(text), b"\x0a"
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + text

if answer.get("events") is not None and "--event-log" in arguments:
    sys.path[:0] = SITE
    import grpc
    address = arguments[arguments.index("--event-log") + 1].removeprefix("tcp://")
    with grpc.insecure_channel(address) as channel:
        stream = channel.stream_unary("/pulumirpc.Events/StreamEvents", encoded, bytes)
        def told():
            for event in answer["events"]:
                yield json.dumps(event)
                time.sleep(answer.get("pause", 0))
        try:
            stream(told(), timeout=30)
        except grpc.RpcError:
            pass
code = answer.get("code", 0)
if answer.get("script"):
    variables = dict(os.environ, HERE=str(here), PID=str(os.getpid()))
    done = subprocess.run(["/bin/sh", "-c", answer["script"], "pulumi", *arguments], env=variables, cwd=answer.get("cwd") or os.getcwd())
    code = done.returncode or code
if answer.get("keeps"):
    pathlib.Path(answer["keeps"]).write_text(sys.stdin.read())
if answer.get("counts"):
    (here / "ready").touch()
    end = time.monotonic() + answer["counts"]
    while time.monotonic() < end and len(interrupts) < answer.get("enough", 2):
        time.sleep(0.02)
    code = 10 + len(interrupts)
    (here / "ended").write_text(str(len(interrupts)))
sys.stdout.write(answer.get("out", "").replace("{arguments}", " ".join(arguments)))
sys.stderr.write(answer.get("err", ""))
sys.exit(code)
"""
_PER_RUN = re.compile(r"(--(?:client|event-log|config-file|exec-agent)) \S+")


@dataclass(frozen=True)
class Call:
    """One call of the command."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    pid: int

    @property
    def text(self) -> str:
        """The arguments on one line, without what is another in each run."""
        return _PER_RUN.sub(r"\1 …", " ".join(self.arguments))

    def option(self, name: str) -> str:
        """The value of an option."""
        return self.arguments[self.arguments.index(name) + 1]


class FakePulumi:
    """The command, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        """Put it there; until it is told otherwise it fails with exit code 9.

        :param folder: where it keeps what it is to answer; it is made
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._answers: dict[str, dict[str, Any]] = {}
        command = folder / "pulumi"
        command.write_text(
            _SCRIPT.replace("PYTHON", sys.executable)
            .replace("HERE)", f"{str(folder)!r})")
            .replace("SITE", repr(site.getsitepackages()))
        )
        command.chmod(0o755)
        self._write()

    @property
    def path(self) -> str:
        """A PATH that has it before what every shell has."""
        return f"{self.folder}{os.pathsep}{os.defpath}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which it is found."""
        return {"PATH": self.path}

    def answers(self, command: str, **answer: Any) -> None:
        """Say how a command is answered from now on.

        :param command: its first words without options: `up`, `stack ls`; empty for every other
        :param answer: `events` (of a run), `pause` (seconds behind each), `out`, with `{arguments}` for how it was
            called, `err`, `code`, `script` (for the shell, with the arguments, HERE and PID), `keeps` (a file for its
            standard input), `counts` (seconds: it waits for interrupts at most so long, and ends with 10 and their
            number, which is in the file `ended` too; `ready` is there before), `enough` (how many end it at once; by
            default 2)
        """
        self._answers[command] = answer
        self._write()

    def tells(
        self,
        command: str,
        *events: Iterable[Mapping[str, Any]],
        result: str = "succeeded",
        **more: Any,
    ) -> None:
        """Answer a run with these events, between its begin and its end."""
        every: list[Any] = [
            {"preludeEvent": {"config": {}}},
            *(each for part in events for each in part),
            {"summaryEvent": {"result": result}},
        ]
        self.answers(command, events=every, **more)

    @property
    def calls(self) -> list[Call]:
        """How it was called so far."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Call(**json.loads(line)) for line in lines]

    @property
    def texts(self) -> list[str]:
        """The same, as texts."""
        return [call.text for call in self.calls]

    def forget(self) -> None:
        """Forget how it was called."""
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    def _write(self) -> None:
        part = self.folder / "answers.part"
        part.write_text(json.dumps(self._answers))
        part.replace(self.folder / "answers.json")


def scripted(folder: Path, script: str) -> dict[str, str]:
    """Put one there that runs a script for the shell at every call, and return the variables with which it is found."""
    made = FakePulumi(folder / "bin")
    made.answers("", script=script)
    return made.environment
