"""A run from its beginning to its last word, for the commands that change something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tenantry.applying.engine import apply
from tenantry.applying.steps import Watch, expected_of
from tenantry.applying.telling import (
    Lines,
    Objects,
    Screen,
    as_json,
    clock,
    counts_text,
    left_lines,
    tell_object,
)
from tenantry.applying.times import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from tenantry.planning.events import Run


def converge(
    folder: Path,
    environment: Mapping[str, str],
    options: Sequence[str] = (),
    *,
    planned: Run | None = None,
    as_objects: bool = False,
    started: Callable[[int], None] | None = None,
) -> bool:
    """Run the engine, tell what it is at, and say what it came to. Return whether it succeeded.

    :param folder: the folder of `Pulumi.yaml`
    :param environment: the variables to run `pulumi` with
    :param options: more for `pulumi up`
    :param planned: what a preview said: from it comes what is left
    :param as_objects: tell a program, not a person
    :param started: is told the engine's process id as soon as it runs
    :raises StackError: there is no `pulumi`
    """
    kept = folder / ".tenantry"
    times = Times.read(kept)
    watch = Watch(expected_of(planned))

    def remaining() -> tuple[float, bool] | None:
        return times.remaining(watch)

    kind = Objects if as_objects else Screen if sys.stderr.isatty() else Lines
    with kind(watch, remaining) as teller:

        def take(event: Mapping[str, Any]) -> None:
            if (happened := watch.take(event)) is not None:
                teller.tell(happened)

        ended = apply(environment, options, take, started)
    succeeded = ended.code == 0
    if succeeded:
        times.learn(watch)
        times.write(kept)
    elif not watch.errors and ended.said:
        # It did not come so far as to tell events.
        print(ended.said.removeprefix("error: "), file=sys.stderr)
    if as_objects:
        _tell_end(watch, succeeded=succeeded, interrupted=ended.interrupted)
        return succeeded
    how = "Done" if succeeded else "Interrupted" if ended.interrupted else "Failed"
    failed = f", {len(watch.failed)} failed" if watch.failed else ""
    print(f"{how}: {counts_text(watch.counts)}{failed}; {clock(watch.elapsed)}", flush=True)
    if not succeeded:
        for line in left_lines(watch):
            print(line, file=sys.stderr)
    return succeeded


def tell_nothing() -> None:
    """Tell a program that there was nothing to do."""
    _tell_end(Watch(), succeeded=True, interrupted=False)


def _tell_end(watch: Watch, *, succeeded: bool, interrupted: bool) -> None:
    tell_object(
        "ended",
        succeeded=succeeded,
        interrupted=interrupted,
        seconds=round(watch.elapsed, 2),
        counts=dict(watch.counts),
        failed=[as_json(work) for work in watch.failed],
        left=[] if succeeded else [as_json(work) for work in watch.left],
    )
