"""A run over many stacks: what is asked before it, told while it goes on, and heard of Ctrl-C meanwhile."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.notes import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenantry.fleet.events import Event
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.outlook import Outlook


def ask_to_begin(outlook: Outlook) -> None:
    """Say what there is to do, and ask; end with exit code 1 where nobody agrees."""
    counts = Counter(task.purpose for task in outlook.tasks)
    for line in outlook.notes:
        note(line)
    what = ", ".join(f"{count} to {purpose}" for purpose, count in counts.items())
    agree_to_begin(what, "Begin")


@contextmanager
def interruptible(fleet: Fleet) -> Iterator[None]:
    """Let the first Ctrl-C begin nothing more, and the second end what is in flight."""
    told = (
        "Nothing new begins; what is in flight is finished. Ctrl-C again ends it.",
        "What is in flight ends after its current steps. Ctrl-C again ends it at once.",
    )
    times = 0

    def stop(_number: int, _frame: object) -> None:
        nonlocal times
        if times < len(told):
            note(f"\n{told[times]}")
        times += 1
        fleet.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def teller(*, as_json: bool = False, beside: bool = False) -> Iterator[Callable[[Event], None]]:
    """Tell a person or a program what happens, for the length of a block.

    :param as_json: a JSON object a line on standard output
    :param beside: keep standard output free for a document
    """
    if as_json:
        yield _tell_json
        return
    from tenantry.fleet.telling import Teller

    with Teller(sys.stderr if beside else sys.stdout, sys.stderr) as found:
        yield found


def _tell_json(event: Event) -> None:
    from tenantry.fleet.events import as_json

    print(json.dumps(as_json(event)), flush=True)
