"""A small file that the processes of one credential share: locked, readable by its owner only."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from tenantry.aura.errors import AuraStateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tenantry.aura.clock import Clock

_PATIENCE: Final = 120.0
_PAUSE: Final = 0.05


@contextmanager
def locked(file: Path, clock: Clock, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the file's lock, against other threads and other processes. It ends with the process, however that ends.

    :param patience: how long to wait for another holder, in seconds
    :raises AuraStateError: the folder cannot be written, or another holder does not let go
    """
    import fcntl

    lock = file.with_name(f"{file.name}.lock")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AuraStateError(
            f"{file.parent}: {error.strerror}: set AURA_STATE_FOLDER to a folder that can be written"
        ) from None
    try:
        end = clock.elapsed() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.elapsed() >= end:
                    raise AuraStateError(
                        f"{lock}: held by another process for {patience:.0f} s: end that one, then try again"
                    ) from None
                clock.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def read_json(file: Path) -> dict[str, Any]:
    """Return what was written last; nothing where there is no file, or none of ours."""
    with suppress(OSError, ValueError):
        content = json.loads(file.read_text("utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Replace the file at once and whole, with mode 0600. The caller holds its lock.

    :raises AuraStateError: the folder cannot be written
    """
    part = file.with_name(f"{file.name}.part")
    try:
        with suppress(FileNotFoundError):
            part.unlink()
        # O_EXCL: neither a link nor a file that somebody else can read is written to.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(content, opened)
        part.replace(file)
    except OSError as error:
        raise AuraStateError(
            f"{file}: {error.strerror}: set AURA_STATE_FOLDER to a folder that can be written"
        ) from None
