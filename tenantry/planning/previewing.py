"""Asks the engine what a run would do, and what differs in the clouds. Nothing is changed, and no lock is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenantry.planning.errors import PlanError
from tenantry.planning.events import read_events
from tenantry.running.words import last_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tenantry.planning.events import Run
    from tenantry.running.engine import Operation, Ran, Target
    from tenantry.running.events import Said, Step


def observe(
    target: Target,
    operation: Operation,
    *,
    options: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
    happened: Callable[[Step | Said | None], None] = lambda _: None,
) -> tuple[Run, Ran]:
    """Do an operation that changes nothing, and read what the engine says of each resource.

    :param options: more for the `pulumi` command
    :param progress: takes the number of resources that were compared, each time that it grows
    :param happened: is told of each step of the engine as it comes
    :return: what was said, and how the engine ended
    """
    events: list[dict[str, Any]] = []
    compared = 0

    def take(event: dict[str, Any], step: Step | Said | None) -> None:
        nonlocal compared
        events.append(event)
        happened(step)
        if "resourcePreEvent" in event:
            compared += 1
            progress(compared)

    ran = target.engine.run(operation, target.stack, target.program, tell=take, options=options)
    return read_events(events, stack=target.stack), ran


def preview(
    target: Target,
    *,
    refresh: bool = False,
    options: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Ask the engine what `up` would do.

    :param refresh: look at the cloud first
    :param options: more for `pulumi preview`
    :param progress: as for `observe`
    :raises PlanError: the engine did not run to its end, or said nothing of what is wrong
    """
    looking = ["--refresh"] if refresh else []
    return _judged(
        "preview",
        *observe(target, "preview", options=[*looking, *options], progress=progress),
    )


def look(
    target: Target,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Run:
    """Ask the engine how the clouds differ from the state.

    :param progress: as for `observe`
    :raises PlanError: as for `preview`
    """
    return _judged("refresh", *observe(target, "look", progress=progress))


def _judged(command: str, run: Run, ran: Ran) -> Run:
    if run.broken:
        raise PlanError(f"pulumi {command}: {' '.join(run.errors[0].split())}")
    if ran.code != 0 and not run.errors:
        raise ran.refusal or PlanError(f"pulumi {command}: {last_line(ran.said, ran.code)}")
    return run
