"""`tenantry up`: what an earlier run left behind is settled, the plan is shown, and the engine applies it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting import asking
from tenantry.presenting.notes import note, note_as_json, say_what_is_there
from tenantry.presenting.plans import progress, show_before_run
from tenantry.presenting.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tenantry.applying.course import Course
    from tenantry.planning.plan import Plan

_SHOWING = {
    "--color",
    "--diff",
    "--show-full-output",
    "--suppress-outputs",
    "--suppress-progress",
}
"""Options of pulumi up that change what pulumi shows, of which nothing is shown here."""
_HARMLESS = {*_SHOWING, "--parallel"}
"""Those, and what changes how fast it goes, and never what is done."""
_SKIP = "--skip-preview"
_APPLYING = {_SKIP, "--continue-on-error", "--yes", "-y"}
"""Options of pulumi up that pulumi preview does not know."""
_REFUSED = {
    "--stack": "choose the stack with PULUMI_STACK, or pulumi stack select",
    "-s": "choose the stack with PULUMI_STACK, or pulumi stack select",
    "--json": "say it before --: tenantry up --json",
    "-j": "say it before --: tenantry up --json",
}


def up(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="Options for pulumi up.", show_default=False),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")] = False,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced in this run, beside another; may be given more than once.",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply what tenantry plan --out kept, without asking, and refuse where something moved since.",
        ),
    ] = None,
    run_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Note there which process applies, for tenantry ci release."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
    ] = False,
) -> None:
    """Converge: settle what a run that was cut off left behind, show the plan, ask, and apply it.

    tenantry up --yes

    Says what is being made, for how long, and about how long is left. The first Ctrl-C lets what is in flight finish and says what is left; the second ends it at once.

    Exit code: 0 applied, or nothing to do; 1 refused, failed or interrupted.

    JSON: {"event": "planned", "plan"}, {"event": "noted" or "said", "text"}, {"event": "step", "app", "operation", "kind", "name", "state", "seconds", "elapsed", "remaining"}, {"event": "ended", "succeeded", "interrupted", "seconds", "counts", "failed", "left"}.
    """
    given = options or []
    for each in given:
        if each.partition("=")[0] in _REFUSED:
            fail(f"{each}: {_REFUSED[each.partition('=')[0]]}")
    if plan is None and not yes and (as_json or not asking.somebody_is_there()):
        fail("nobody is there to be asked: tenantry up --yes begins without")
    with one_line_errors():
        reviewed = _reviewed(plan, given, allow_destroy)
        if reviewed:
            allow_destroy = list(reviewed.allowed)
        code = _run(plan, reviewed, given, allow_destroy or [], run_file, yes=yes, as_json=as_json)
    raise typer.Exit(code)


def _run(
    file: Path | None,
    reviewed: Plan | None,
    options: list[str],
    allowed: list[str],
    run_file: Path | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    from tenantry.applying.course import Course
    from tenantry.running.local import current_environment

    course = Course(Path.cwd(), current_environment(Path.cwd()), note_as_json if as_json else note)
    course.allow(allowed)
    if file and reviewed:
        if not _check_plan(file, reviewed, course):
            if as_json:
                from tenantry.applying.converging import tell_nothing

                tell_nothing()
            return 0
    elif _SKIP not in options:
        with progress("Planning") as said:
            made = course.plan(_without(options, {*_SHOWING, *_APPLYING}), said)
        show_before_run(made, as_json=as_json)
        if made.rows and not yes:
            asking.agree("Apply this?")
    kept = _without(options, {*_SHOWING, _SKIP, "--yes", "-y"})
    if not course.converge(kept, as_objects=as_json, started=_noted(run_file, course.stack)):
        say_what_is_there(course.looker, course.before)
        return 1
    if run_file:
        from tenantry.recovery.own_run import note_success

        note_success(run_file)
    return 0


def _noted(file: Path | None, stack: str) -> Callable[[int], None] | None:
    if file is None:
        return None
    from tenantry.recovery import own_run

    return lambda pid: own_run.note(file, pid, stack)


def _without(options: list[str], names: Collection[str]) -> list[str]:
    left, value = [], False
    for each in options:
        if value:
            value = False
        elif each.partition("=")[0] in names:
            value = each == "--color"
        else:
            left.append(each)
    return left


def _reviewed(file: Path | None, options: list[str], allowed: list[str] | None) -> Plan | None:
    if file is None:
        return None
    from tenantry.planning.keeping import read_plan

    if allowed:
        fail("--allow-destroy: the plan says what may be destroyed: give it to tenantry plan")
    for each in options:
        if each.partition("=")[0] not in _HARMLESS:
            fail(f"{each}: not with --plan, which applies what was reviewed and nothing else")
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
