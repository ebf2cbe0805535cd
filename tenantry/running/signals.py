"""How Ctrl-C and other signals to end are handled while engines run."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping(stop: Callable[[], None], told: Sequence[str]) -> Iterator[None]:
    """Call `stop` at each signal to end, for the length of a block.

    :param stop: is called in the signal's handler
    :param told: what is said on standard error at the first, the second, … signal
    """
    times = 0

    def take(_number: int, _frame: object) -> None:
        nonlocal times
        if times < len(told):
            # Not print: the handler may run in the middle of one.
            os.write(2, f"\n{told[times]}\n".encode())
        times += 1
        stop()

    before = {each: signal.signal(each, take) for each in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
