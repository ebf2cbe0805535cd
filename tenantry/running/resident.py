"""The engine that stays: one process does the operations of a command, on as many stacks at once as are asked of it.

`pulumi` starts anew for each stack, derives the key of its secrets anew, and starts its plugins anew. This project's
own build of the engine comes with `pulumi-resident` (`toolchain/internal/resident`), which has the plugins in it. It
reads requests from its standard input and answers on a pipe. Where the engine is another's build it is not there, and
each operation is a run of `pulumi`.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final

from tenantry.running.command import end_of, interrupt

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = "pulumi-resident"
_DIED: Final = 255


def find_resident(pulumi: str) -> str | None:
    """Return the path of the engine that stays; None where it does not belong to this `pulumi`.

    :param pulumi: the command's path
    """
    beside = Path(pulumi).with_name(_NAME)
    return str(beside) if os.access(beside, os.X_OK) else None


class Asked:
    """An operation that was asked of it; used as a run of the command is."""

    def __init__(self, resident: Resident) -> None:
        """Nothing is asked yet."""
        self._resident = resident
        self._ended = threading.Event()
        self._code = _DIED
        self._said = ""

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._resident.pid

    def poll(self) -> int | None:
        """Return the exit code; None while the operation is under way."""
        return self._code if self._ended.is_set() else None

    def wait(self) -> int:
        """Return the exit code once the operation has ended."""
        self._ended.wait()
        return self._code

    def interrupt(self) -> None:
        """Ask the engine to end what it does, on every stack: this process wants nothing more of any of them."""
        self._resident.interrupt()

    def said(self) -> str:
        """Return what `pulumi` would have printed on standard error."""
        return self._said

    def end(self, code: int, said: str) -> None:
        """Take how it ended."""
        self._code, self._said = code, said
        self._ended.set()


class Resident:
    """One process of the engine. It ends once this process has closed it, or has ended itself."""

    def __init__(
        self,
        command: str,
        folder: Path,
        environment: Mapping[str, str],
        lease: float | None = None,
    ) -> None:
        """Start it.

        :param command: its path
        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables of its runs
        :param lease: whole seconds after which it ends itself, whatever it is doing, unless `renew` was called; None
            where it may work as long as it needs
        """
        self._stderr = TemporaryFile()  # noqa: SIM115 it is closed once the process has ended
        self._words = ""
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 it is this project's own
                [command, str(writing), *([f"{lease:.0f}", f"{time.time():.0f}"] if lease else [])],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=[writing],
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            self._stderr.close()
            raise
        finally:
            os.close(writing)
        self._asked: dict[int, Asked] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._listener = threading.Thread(target=self._listen, args=[reading], daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, operation: str, stack: str, **more: str | int) -> Asked:
        """Begin an operation.

        :param more: `address`, `settings`, `parallel`, `message`, as in `toolchain/internal/resident/operation.go`
        """
        asked = Asked(self)
        with self._lock:
            self._count += 1
            self._asked[self._count] = asked
            self._send({"id": self._count, "operation": operation, "stack": stack, **more})
            if self._words:
                self._asked.pop(self._count)
                asked.end(_DIED, self._words)
        return asked

    def interrupt(self) -> None:
        """Ask it to end what it does: after the current steps at the first call, at once at the second.

        It may be called from a signal's handler.
        """
        interrupt(self._process)

    def renew(self) -> None:
        """Prolong its lease from now on. One that has ended needs none."""
        with self._lock:
            self._send({"operation": "renew"})

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """Let it end; what is under way is stopped and waited for."""
        assert self._process.stdin is not None  # noqa: S101 it is a pipe
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._listener.join()

    def _send(self, request: Mapping[str, str | int]) -> None:
        assert self._process.stdin is not None  # noqa: S101 it is a pipe
        # Where it has died, whoever listens says so of all that was asked. ValueError: it was closed.
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def _listen(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as answers:
            for line in answers:
                answer = json.loads(line)
                with self._lock:
                    asked = self._asked.pop(answer["id"])
                asked.end(answer["code"], answer["said"])
        code = self._process.wait()
        said = end_of(self._stderr)
        self._stderr.close()
        how = f"error: the engine ended in the middle (exit code {code})"
        with self._lock:
            self._words = f"{how}: {said}" if said else how
            left = list(self._asked.values())
            self._asked.clear()
        for asked in left:
            asked.end(_DIED, self._words)
