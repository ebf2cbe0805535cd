"""Ending with the engine.

A killed engine tells nothing to the process that runs the dynamic providers, and the SDK's server waits for it without
end.
"""

from __future__ import annotations

import select
import signal
import sys
import threading
from functools import cache
from typing import TextIO

_SERVER = "pulumi.dynamic.__main__"


def end_with_the_engine() -> None:
    """End this process once nobody reads its standard output any more: the engine holds the other end while it lives.

    What is being done at that moment is done to the end. Elsewhere than in the SDK's server it does nothing.
    """
    if getattr(sys.modules["__main__"].__spec__, "name", "") == _SERVER:
        _watch()


@cache
def _watch() -> None:
    threading.Thread(target=_wait, args=(sys.__stdout__,), daemon=True).start()


def _wait(output: TextIO | None) -> None:
    if output is None:
        return
    pipe = select.poll()
    # No event is asked for: an error of the pipe is told in any case.
    pipe.register(output, 0)
    pipe.poll()
    # The server stops at SIGINT, and its threads end when they are done. Behind a shell's `&` that signal is ignored
    # from the beginning, and there is no asking: what is cut off is found again by its name, as after any death.
    asked = callable(signal.getsignal(signal.SIGINT))
    number = signal.SIGINT if asked else signal.SIGTERM
    signal.pthread_kill(threading.main_thread().ident or 0, number)
