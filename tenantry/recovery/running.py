"""Runs a command in the foreground with this process's terminal, and hands on the signals that only this process got."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from tenantry.stack import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HANDED_ON: Final = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
_SIGNALLED: Final = 128
"""What a shell adds to a signal's number for the exit code of a process that it ended."""
_LOOK_SECONDS: Final = 0.5
"""After how long the command is looked at without a signal: that of its end may have gone to another thread, where it is lost."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    started: Callable[[int], None] = lambda _: None,
) -> int:
    """Run a command to its end and return its exit code, or 128 and the number of the signal that ended it.

    Ctrl-C reaches the command through the terminal, and once only: it takes a second one for an order to leave at once. A
    signal that was sent to this process alone, as a CI service does, is handed on.

    :param started: takes the pid as soon as there is one
    :raises StackError: there is no such command
    """
    waited = _HANDED_ON | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    try:
        try:
            # Not subprocess: the child must begin with the signals that are blocked here.
            pid = os.posix_spawnp(command[0], list(command), dict(environment), setsigmask=before)
        except FileNotFoundError:
            raise StackError(
                f"{command[0]} is not on PATH: make engine, then .venv/bin first on PATH"
            ) from None
        started(pid)
        while True:
            received = signal.sigtimedwait(waited, _LOOK_SECONDS)
            if received is not None and received.si_signo in _HANDED_ON and received.si_code <= 0:
                # Sent by a process, not by the terminal (siginfo(2): SI_USER is 0, SI_QUEUE and SI_TKILL below).
                os.kill(pid, received.si_signo)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else _SIGNALLED - code
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
