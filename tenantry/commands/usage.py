"""`tenantry usage`: what apps used in a month, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, one_line_errors


def usage(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[APP|TENANT]", help="An app, or all of a tenant's. Default: all."),
    ] = None,
    *,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Default: the current one, until now.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what apps used in a month, an estimate of its cost, and where the month will end at this pace.

    tenantry usage acme

    A budget of which 80 % or more are used is told of on standard error.

    Reads the catalog where a worker writes it, else asks Neon, a request for each 100 projects. Wakes nothing. Months
    are in UTC. Prices are the registry's (prices).

    Exit code: 0; 1 where nothing can be asked, or there is no such app, tenant or month.

    JSON: {"month", "measured_at", "from", "prices": {"plan", "as_of", "source", "currency"}, "unpriced", "apps":
    [{"app", "use", "branches", "graphs", "cost", "forecast"}], "total": {"use", "cost", "forecast"}}; use in Neon's
    units, money as text with two digits.
    """
    with one_line_errors():
        from tenantry.fleet.measuring import usage_of
        from tenantry.fleet.project import Project
        from tenantry.presenting.usage import print_csv, print_usage, print_usage_json
        from tenantry.running.local import current_environment
        from tenantry.usage.budgets import over
        from tenantry.usage.measures import Month

        if as_csv and as_json:
            fail("--csv and --json: choose one")
        chosen = Month.read(month)
        project = Project.open(Path.cwd(), environment=current_environment(Path.cwd()))
        registry = project.source.read().registry
        found, origin = usage_of(project.catalog_url(), registry, chosen)
        budgets = over(found, registry) if chosen.is_current else []
        if what is not None:
            found = found.of(what)
    if as_json:
        print_usage_json(found, *origin)
    elif as_csv:
        print_csv(found)
    else:
        print_usage(found, *origin)
    for each in budgets:
        if what is None or each.of == what or each.of.startswith(f"{what}/"):
            note(f"{each.of}: {each.text}")
