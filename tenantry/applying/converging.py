"""Applies, and tells what happens from the first event to the last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

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
from tenantry.recovery.errors import HeldError
from tenantry.running.events import Watch, Work, is_known
from tenantry.running.signals import stopping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from tenantry.planning.events import Run
    from tenantry.running.engine import Ran, Target
    from tenantry.running.events import Operation, Said, Step

_TOLD: Final = (
    "What is in flight is finished, and nothing more begins. Ctrl-C again ends it at once.",
    "Ends at once. What was in flight may be done and not noted: tenantry up settles it.",
)


def converge(
    target: Target,
    folder: Path,
    options: Sequence[str] = (),
    *,
    planned: Run | None = None,
    as_objects: bool = False,
    started: Callable[[int], None] | None = None,
    ended: Callable[[Watch], None] | None = None,
) -> bool:
    """Apply, tell what the engine does, and say how it ended. Return whether it succeeded.

    The first SIGINT, SIGTERM or SIGHUP lets the engine finish what it has begun, and the second lets it end at once.

    :param folder: the folder of `Pulumi.yaml`; how long things took is kept below it
    :param options: more for `pulumi up`
    :param planned: what a preview said: from it comes what is left
    :param as_objects: tell a program, not a person
    :param started: is told the engine's process id as soon as it runs
    :param ended: gets what was done and what failed, whether the run succeeded or not
    :raises HeldError: another run holds the stack
    """
    kept = folder / ".tenantry"
    times = Times.read(kept)
    watch = Watch(expected_of(planned))

    def remaining() -> float | None:
        return times.remaining(watch)

    kind = Objects if as_objects else Screen if sys.stderr.isatty() else Lines
    with kind(watch, remaining) as teller, stopping(target.engine.stop, _TOLD):

        def tell(_event: dict[str, Any], happened: Step | Said | None) -> None:
            if happened is not None:
                teller.tell(happened)

        ran = target.engine.run(
            "up",
            target.stack,
            target.program,
            tell=tell,
            watch=watch,
            options=options,
            started=started,
        )
    succeeded = ran.code == 0
    if succeeded:
        times.learn(watch)
        times.write(kept)
    elif ran.held:
        raise HeldError(_whose(ran))
    elif not watch.errors and ran.said:
        # The engine ended before it sent events.
        print("\n".join(ran.errors), file=sys.stderr)
    if as_objects:
        _tell_end(watch, succeeded=succeeded, interrupted=ran.interrupted)
    else:
        _print_end(watch, succeeded=succeeded, interrupted=ran.interrupted)
    if ended:
        ended(watch)
    return succeeded


def _print_end(watch: Watch, *, succeeded: bool, interrupted: bool) -> None:
    how = "Done" if succeeded else "Interrupted" if interrupted else "Failed"
    failed = f", {len(watch.failed)} failed" if watch.failed else ""
    done = counts_text(watch.counts, "nothing to change" if succeeded else "nothing was done")
    print(f"{how}: {done}{failed}; {clock(watch.elapsed)}", flush=True)
    if not succeeded:
        for line in left_lines(watch):
            print(line, file=sys.stderr)


def _whose(ran: Ran) -> str:
    from tenantry.states.locks import named_locks

    lines = [
        f"lock [{lock.stack}] {lock.stack}: {lock.standing()}" for lock in named_locks(ran.said)
    ]
    return "\n".join(lines or ran.errors)


def expected_of(run: Run | None) -> tuple[Work, ...]:
    """Return what a preview says will be done; nothing where there was none."""
    found = []
    for each in run.resources if run else ():
        if not is_known(each.type, custom=each.custom) or each.operation == "same":
            continue
        parts: tuple[Operation, ...] = (
            ("delete", "create") if each.operation == "replace" else (each.operation,)
        )
        found += [Work(each.urn, each.type, part) for part in parts]
    return tuple(found)


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
