"""The cache that builds and downloads go to, and the lock on it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tenantry.engine.errors import EngineError

_PATIENCE: Final = 30 * 60.0
_PAUSE: Final = 0.5


def cache_root() -> Path:
    """Return `$TENANTRY_CACHE`, else `$XDG_CACHE_HOME/tenantry`, else `~/.cache/tenantry`. It need not exist."""
    if own := os.environ.get("TENANTRY_CACHE"):
        return Path(own).expanduser().absolute()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser().absolute() / "tenantry"
    return Path.home() / ".cache" / "tenantry"


@contextmanager
def locked(
    folder: Path, report: Callable[[str], None], *, patience: float = _PATIENCE
) -> Iterator[None]:
    """Hold the lock on a cache folder: one run at a time fills it. The lock ends with the process, however that ends.

    :param patience: how long to wait for another run, in seconds
    :raises EngineError: the other run did not end in that time, or the folder cannot be written
    """
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise EngineError(
            f"{folder}: cannot be written ({error.strerror}): set TENANTRY_CACHE to a folder that can"
        ) from error
    with file:
        deadline = time.monotonic() + patience
        said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not said:
                    file.seek(0)
                    holder = file.read().strip() or "unknown"
                    report(f"another run is at work on the engine (process {holder}): waiting")
                    said = True
                if time.monotonic() > deadline:
                    raise EngineError(
                        f"{folder / 'lock'}: another run did not end within {patience:.0f} s: "
                        "end it, or set TENANTRY_CACHE to another folder"
                    ) from None
                time.sleep(_PAUSE)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
