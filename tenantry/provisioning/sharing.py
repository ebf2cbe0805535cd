"""What the runs of one process share, such as connections. The last run to end closes it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    Key = TypeVar("Key", bound=Hashable)
else:
    Key = TypeVar("Key")

Value = TypeVar("Value")

_lock: Final = threading.RLock()
_every: Final[list[Shared[Hashable, object]]] = []
_runs = 0


class Shared(Generic[Key, Value]):
    """Things that are made once for each key. Outside of a run they stay as long as the process."""

    def __init__(self, make: Callable[[Key], Value], close: Callable[[Value], None]) -> None:
        """Make nothing yet.

        :param make: is called with the key; others that ask wait for it meanwhile
        """
        self._make = make
        self._close = close
        self._made: dict[Key, Value] = {}
        _every.append(self)  # type: ignore[arg-type]  # nothing is put into it there

    def get(self, key: Key) -> Value:
        """Return the thing of this key."""
        with _lock:
            if key not in self._made:
                self._made[key] = self._make(key)
            return self._made[key]

    def close(self) -> None:
        """Close all of them."""
        with _lock:
            made, self._made = self._made, {}
        for each in made.values():
            self._close(each)


@contextmanager
def sharing() -> Iterator[None]:
    """Count as a run for the length of a block."""
    global _runs  # noqa: PLW0603  it is the process's
    with _lock:
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                for each in _every:
                    each.close()
