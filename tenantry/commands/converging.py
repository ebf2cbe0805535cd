"""What the commands that change a stack have in common: to wait for another run, plan, ask, apply, say what is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from tenantry.presenting import asking
from tenantry.presenting.notes import note, say_what_is_there
from tenantry.presenting.plans import progress, show_before_run
from tenantry.presenting.printing import fail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tenantry.applying.course import Course
    from tenantry.planning.plan import Plan

_PAUSE: Final = 1.0
"""Seconds until it is looked again whether another run holds the stack."""
_Done = TypeVar("_Done")


def deadline_of(wait: str | None) -> float:
    """Return till when another run is waited for, by `time.monotonic`.

    :param wait: what `--wait` says; without it that is over already
    :raises OptionError: it is not a duration
    """
    from tenantry.applying.options import seconds_of

    return time.monotonic() + (seconds_of(wait) if wait else 0.0)


def patiently(run: Callable[[], _Done], until: float, say: Callable[[str], None]) -> _Done:
    """Do a run, and once more where another one took the stack before its engine did.

    What that one changes, the plan does not know: so it begins with the look again.

    :param until: till then the other one is waited for, by `time.monotonic`
    :param say: takes a line for what is waited for
    :raises HeldError: another run holds the stack after that
    """
    from tenantry.recovery.errors import HeldError

    while True:
        try:
            return run()
        except HeldError as error:
            if time.monotonic() >= until:
                raise
            say(f"waiting: {error}")
        time.sleep(_PAUSE)


def converge(
    begin: Callable[[], Course],
    *,
    options: Sequence[str] = (),
    allowed: Sequence[str] = (),
    plan: Path | None = None,
    run_file: Path | None = None,
    yes: bool = False,
    as_json: bool = False,
) -> Course:
    """Converge the current stack; end with exit code 1 where that is refused or fails.

    :param begin: settles what an earlier run left behind; called once the rest of the parameters is judged
    :param options: more for `pulumi up`, as `applying.options.check_options` lets them pass
    :param allowed: apps that may leave or be replaced beside others
    :param plan: the file of a plan: apply that and nothing else
    :param run_file: note there which process applies
    :param yes: do not ask
    :param as_json: tell a program, not a person
    :raises TenantryError: it is refused
    """
    from tenantry.applying.options import for_preview, for_update, skips_plan

    reviewed = _read(plan, allowed) if plan else None
    course = begin()
    course.allow(reviewed.allowed if reviewed else allowed)
    if plan and reviewed:
        if not _check_plan(plan, reviewed, course):
            if as_json:
                from tenantry.applying.converging import tell_nothing

                tell_nothing()
            return course
    elif not skips_plan(options):
        with progress("Planning") as said:
            made = course.plan(for_preview(options), said)
        show_before_run(made, as_json=as_json)
        if made.rows and not yes:
            asking.agree("Apply this?")
    started = _noted(run_file, course.stack)
    if not course.converge(for_update(options), as_objects=as_json, started=started):
        say_what_is_there(course.looker, course.before)
        raise typer.Exit(1)
    if run_file:
        from tenantry.recovery.own_run import note_success

        note_success(run_file)
    return course


def _read(file: Path, allowed: Sequence[str]) -> Plan:
    from tenantry.planning.keeping import read_plan

    if allowed:
        fail("--allow-destroy: the plan says what may be destroyed: give it to tenantry plan")
    return read_plan(file)


def _check_plan(file: Path, reviewed: Plan, course: Course) -> bool:
    """End with exit code 1 where something moved since the plan was made; return whether anything is left to do."""
    from tenantry.planning.keeping import AGAIN, is_applied, moved

    with progress("Comparing with the plan") as said:
        now = course.plan((), said)
    if is_applied(reviewed, now):
        note(f"{file}: nothing to do")
        return False
    if lines := [each.text for each in now.refusals] or moved(reviewed, now):
        for line in lines:
            note(f"{file}: {line}")
        fail(f"{file}: nothing was applied: {AGAIN} {file}, and have it reviewed")
    return True


def _noted(file: Path | None, stack: str) -> Callable[[int], None] | None:
    if file is None:
        return None
    from tenantry.recovery import own_run

    return lambda pid: own_run.note(file, pid, stack)
