"""`tenantry fleet status`: how each app's stack stands."""

from __future__ import annotations

from tenantry.commands.fleet.options import Selecting, Since
from tenantry.commands.options import AsArray, takes
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json, print_table


@takes(Selecting)
def status(
    selecting: Selecting,
    *,
    changed_since: Since = None,
    as_json: AsArray = False,
) -> None:
    """Say how each app's stack stands: applied, changed, new, failed, gone from the registry.

    Starts no engine, asks no cloud.

    tenantry fleet status --json

    Exit code: 0.

    JSON: [{"app", "stack", "standing", "ended", "result", "actor"}].
    """
    from tenantry.fleet.standing import standings

    with one_line_errors():
        fleet = selecting.open()
        selection = selecting.of(fleet, changed_since)
        outlook = fleet.look(selection)
    rows = standings(outlook)
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        print_table(
            ["app", "stack", "standing", "last run", "result", "by"],
            [row.as_text() for row in rows],
        )
    for line in (*outlook.notes, *outlook.refused):
        note(line)
