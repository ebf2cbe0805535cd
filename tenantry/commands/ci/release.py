"""`tenantry ci release`: the lock of a run that was cut off here."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.ci.files import FOLDER, RUN
from tenantry.commands.ci.options import Out
from tenantry.commands.options import AsJson
from tenantry.presenting.printing import one_line_errors, print_json


def release(
    *,
    out: Out = FOLDER,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long a run that is still at work is waited for."
        ),
    ] = 120,
    as_json: AsJson = False,
) -> None:
    """Delete the lock that tenantry ci apply left behind here when it was cut off.

    Only the lock of that one process is deleted, and only once the process is dead.

    tenantry ci release

    Exit code: 0 no lock of it is left, 1 it is still at work, or its lock cannot be seen.

    JSON: {"released": [{"stack", "holder"}]}.
    """
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.own_run import noted
    from tenantry.recovery.own_run import release as release_locks
    from tenantry.running.local import current_environment

    with one_line_errors():
        run = noted(out / RUN)
        released = []
        if run is not None:
            store = Looker(Path.cwd(), current_environment(Path.cwd())).store
            released = release_locks(run, store, wait)
            (out / RUN).unlink(missing_ok=True)
    if as_json:
        print_json(
            {"released": [{"stack": each.stack, "holder": each.holder} for each in released]}
        )
    else:
        for each in released:
            print(f"released: the lock of {each.holder} on {each.stack}")
        if not released:
            print("no lock of a run of this folder is left")
