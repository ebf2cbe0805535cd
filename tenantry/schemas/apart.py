"""A migration by an operator's own history, in a process of its own.

Its `env.py` and its revisions may do what they like: print, configure the logging, import modules whose names another
history has too, read their environment. None of that reaches this process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final

from tenantry.provisioning.errors import ProvisioningError, RejectedError
from tenantry.provisioning.pauses import StoppedError, pause, stopping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.schemas.connecting import TenantDatabase
    from tenantry.schemas.migrating import Schema, Wanted

_LOOK: Final = 0.05
"""Seconds between two looks whether it has ended."""


def migrate_apart(
    database: TenantDatabase,
    wanted: Wanted,
    recorded: Schema | None,
    *,
    environment: Mapping[str, str],
    folder: Path,
) -> Schema:
    """Do what `migrate` does, and raise what it raises.

    :param environment: the variables of the process
    :param folder: where it works, and where a relative path of the history begins
    """
    # The password goes through a pipe, and not through an argument or a file.
    theirs, ours = os.pipe()
    with os.fdopen(ours, "wb") as job, TemporaryFile() as answer, TemporaryFile() as said:
        with os.fdopen(theirs, "rb") as source:
            process = subprocess.Popen(  # noqa: S603  this very Python
                [sys.executable, "-m", __name__],
                stdin=source,
                stdout=answer,
                stderr=said,
                cwd=folder,
                env=environment,
                # A Ctrl-C in the terminal is the command's.
                start_new_session=True,
            )
        with process:
            try:
                with suppress(BrokenPipeError):
                    pickle.dump((database, wanted, recorded), job)
                    job.flush()
                while process.poll() is None:
                    pause(_LOOK)
            except StoppedError:
                # What waits in there ends at the end of its input; what works is waited for.
                job.close()
        answer.seek(0)
        content = answer.read()
    if process.returncode != 0 or not content:
        raise RejectedError(
            database.app,
            "schema",
            f"the process of the migration ended with code {process.returncode} before it was done",
            "look whether env.py or a revision ends it, then tenantry up goes on from there",
        )
    result: Schema | ProvisioningError | StoppedError = pickle.loads(content)  # noqa: S301  of our own process
    if isinstance(result, Exception):
        raise result
    return result


def _answer() -> None:
    """Migrate as the input says, and write what came of it to what was the standard output."""
    from tenantry.schemas.migrating import migrate

    answer = os.dup(1)
    # What a revision prints, or a program that it starts, is no answer.
    os.dup2(2, 1)
    arguments: Any = pickle.load(sys.stdin.buffer)  # noqa: S301  of our own process
    stopped = threading.Event()

    def watch() -> None:
        # Not through sys.stdin: Python could not end while that is being read.
        os.read(0, 1)
        stopped.set()

    threading.Thread(target=watch, daemon=True).start()
    result: object
    try:
        with stopping(stopped):
            result = migrate(*arguments)
    except (ProvisioningError, StoppedError) as error:
        result = error
    with os.fdopen(answer, "wb") as stream:
        pickle.dump(result, stream)


if __name__ == "__main__":
    _answer()
