"""A program that becomes another one: tied to the life of who started it, and as another user.

It stands between the local cloud and its children so that the local cloud itself never forks. What `subprocess` does
between a fork and an exec (``preexec_fn``, ``user``) rules out vfork(2), and a fork runs the handlers that libraries
registered with pthread_atfork(3). gRPC's, in a process that also serves gRPC, may end the child by a signal.

    python -I -S launcher.py PARENT SIGNAL UID:GID|- PROGRAM [ARGUMENT...]

The program is a path. Nothing is imported after the change of user, who may not be allowed to read Python's library.

Exit code: 127 if there is no such program, 1 if the parent is gone; else the program's own.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_SIG_DFL = None
# Python ignores these from its start, and a program would inherit that. Their numbers are those of Linux on x86 and
# ARM; the module `signal` knows them, and takes longer to import than all that is here.
_IGNORED_BY_PYTHON = (13, 25)  # SIGPIPE, SIGXFSZ


def _become(parent: int, death_signal: int, account: str, command: list[str]) -> None:
    libc = ctypes.CDLL(None)
    if account != "-":
        uid, _, gid = account.partition(":")
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    # After the change of user, which would clear it (prctl(2)).
    libc.prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(1)
    for number in _IGNORED_BY_PYTHON:
        libc.signal(number, _SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
