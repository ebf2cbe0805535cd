"""`tenantry orphans`: what is ours in the clouds and in no state."""

from __future__ import annotations

from pathlib import Path

import typer

from tenantry.commands.options import AsJson
from tenantry.errors import counted
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json

FOUND = 3
"""The exit code where there is one."""


def orphans(
    *,
    as_json: AsJson = False,
) -> None:
    """List the projects and graphs that carry this registry's mark and that no stack holds.

    Deletes nothing, takes no lock.

    tenantry orphans

    Asks Neon and Aura for their lists, and reads the states of all stacks of this project: one with all apps, or a
    fleet's.

    Exit code: 0 there is none; 3 there is one; 1 it could not look.

    JSON: {"looked_at": {"stacks", "projects", "graphs"}, "orphans": [{"kind", "subject", "text", "command"}]}; kind is
    orphan or duplicate.
    """
    from tenantry.fleet.looking import looker_for
    from tenantry.recovery.judging import AGAIN
    from tenantry.recovery.orphans import orphans as judge
    from tenantry.running.local import current_environment

    with one_line_errors():
        looker = looker_for(Path.cwd(), current_environment(Path.cwd()))
        facts = looker.facts()
        found = judge(
            facts.states,
            seen=facts.seen,
            declared=facts.declared,
            again=AGAIN if looker.stack else "tenantry fleet up",
        )
    looked_at = {name: count for name, count in facts.looked_at().items() if name != "locks"}
    if as_json:
        shown = [
            {name: getattr(each, name) for name in ("kind", "subject", "text", "command")}
            for each in found
        ]
        print_json({"looked_at": looked_at, "orphans": shown})
    else:
        for each in found:
            print(each)
        counts = ", ".join(counted(count, name[:-1]) for name, count in looked_at.items())
        said = f"{len(found)} in no state" if found else "every one is in a state"
        note(f"{counts}: {said}")
    if found:
        raise typer.Exit(FOUND)
