"""`tenantry fleet drift`: the clouds' lists against the states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.fleet.options import AsMarkdown, Parallel, Selecting
from tenantry.commands.options import AsJson, takes
from tenantry.presenting.fleets import interruptible, teller
from tenantry.presenting.notes import note
from tenantry.presenting.plans import one_format, print_drift
from tenantry.presenting.printing import fail, one_line_errors

if TYPE_CHECKING:
    from tenantry.fleet.selection import Shard


@takes(Selecting)
def drift(
    selecting: Selecting,
    *,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Ask about every resource of each app as well, with an engine for each."
        ),
    ] = False,
    share: Annotated[
        str | None,
        typer.Option(
            "--share",
            metavar="1/N",
            help="With --deep: of one of N parts of the fleet, another one each hour.",
        ),
    ] = None,
    parallel: Parallel = None,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Compare the clouds' lists with the states: what is gone, renamed, set otherwise, or nobody's.

    Changes nothing, takes no lock.

    tenantry fleet drift --deep --share 1/24

    Exit code: 0; 3 where something differs; 1 where the clouds, or an app, cannot be asked about.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    one_format(as_json, as_markdown)
    if share is not None and (selecting.shard is not None or not deep):
        fail("--share: with --deep, and without --shard, which says itself which part it is")
    with one_line_errors():
        fleet = selecting.open()
        selection = selecting.of(fleet)
        with interruptible(fleet), teller(beside=True) as tell:
            found, summary = fleet.drift(
                selection, deep=deep, share=_turn(share), parallel=parallel, tell=tell
            )
    print_drift(found, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(1 if summary.failed else found.exit_code)


def _turn(share: str | None) -> Shard | None:
    """Find the part of the fleet whose turn it is, and say which."""
    if share is None:
        return None
    from datetime import UTC, datetime

    from tenantry.fleet.selection import Shard

    turn = Shard.of_the_hour(share, datetime.now(UTC))
    note(f"looking deep into share {turn.number} of {turn.count}")
    return turn
