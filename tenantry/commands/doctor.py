"""`tenantry doctor`: what disagrees between states, locks, registry and cloud, and what settles it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tenantry.commands.options import AsJson
from tenantry.errors import counted
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json

if TYPE_CHECKING:
    from tenantry.recovery.judging import Finding
    from tenantry.recovery.prerequisites import Around

DISAGREE = 3
"""The exit code where something disagrees; 1 is an error, 2 says that changes are pending."""


def doctor(
    *,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Settle what is safe: locks of dead processes of this machine, operations that the cloud explains, the last whole copy of a state that was cut off.",
        ),
    ] = False,
    surroundings: Annotated[
        bool,
        typer.Option("--surroundings", help="Show that table, also where the stack is there."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what disagrees between the states, the registry and the cloud, and which command settles it.

    tenantry doctor

    Where the stack is not there yet, a table shows what runs need (engine, plugins, states, passphrase, credentials,
    clock, catalog): ok, or the command that mends it.

    Exit code: 0 nothing disagrees, or all of it was settled; 1 it could not look, or something that runs need is
    missing; 3 something disagrees.

    JSON: {"surroundings": [{"name", "ok", "text", "command"}]} of the table, else {"stack", "looked_at": {"stacks",
    "locks", "projects", "graphs"}, "findings": [{"kind", "stack", "subject", "text", "command", "fixable",
    "settled"}]}.
    """
    from tenantry.recovery.judging import judge
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.prerequisites import is_up, look_around
    from tenantry.recovery.settling import put_back, settle
    from tenantry.running.local import current_environment

    settled: list[Finding] = []
    if surroundings or not is_up(Path.cwd()):
        with one_line_errors():
            around = look_around(Path.cwd())
        _end_with(around, as_json=as_json)
    with one_line_errors():
        environment = current_environment(Path.cwd())
        looker = Looker(Path.cwd(), environment)
        if fix:
            settled = put_back(looker)
        facts = looker.facts()
        found = judge(facts)
        findings = [*settled, *found]
        if fix:
            settled += settle(found, looker.store, environment, looker.stack)
    left = [each for each in findings if each not in settled]
    if as_json:
        print_json(
            {
                "stack": facts.stack,
                "looked_at": facts.looked_at(),
                "findings": [_as_json(each, each in settled) for each in findings],
            }
        )
    else:
        for each in findings:
            print(f"{'settled: ' if each in settled else ''}{each}")
        if not looker.store.tells_locks:
            note(
                f"{looker.store.where}: locks cannot be read here; a run that meets one names its owner"
            )
        counts = ", ".join(counted(count, name[:-1]) for name, count in facts.looked_at().items())
        note(f"{counts}: {f'{len(left)} to settle' if left else 'nothing disagrees'}")
    if left:
        raise typer.Exit(DISAGREE)


def _end_with(around: Around, *, as_json: bool) -> NoReturn:
    """Show what runs need."""
    if as_json:
        print_json({"surroundings": [asdict(each) for each in around.checks]})
    else:
        from tenantry.presenting.prerequisites import print_checks

        print_checks(around.checks)
        missing = [each.name for each in around.checks if not each.ok]
        if missing:
            note(f"not as a run needs it: {', '.join(missing)}")
        elif not around.is_up:
            note("the stack is not there yet: tenantry up --create")
    raise typer.Exit(0 if around.is_whole else 1)


def _as_json(finding: Finding, is_settled: bool) -> dict[str, object]:
    shown = asdict(finding)
    return {
        **{name: shown[name] for name in ("kind", "stack", "subject", "text", "command")},
        "fixable": finding.fix is not None,
        "settled": is_settled,
    }
