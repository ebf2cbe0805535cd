"""`tenantry report`: the fleet as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.commands.options import AsJson
from tenantry.errors import TenantryError, counted
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.fleet.project import Project
    from tenantry.pages.rows import Standing
    from tenantry.presenting.report import Report
    from tenantry.registry import Registry


def report(
    *,
    html: Annotated[Path, typer.Option("--html", metavar="FILE", help="The file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the fleet into one HTML file, for who has no service: each app, how it stands, its usage and cost.

    tenantry report --html fleet.html

    The file loads nothing, runs nothing and has no secret in it. Names, hosts and projects of all tenants are in it.
    Reads the states, the catalog, and where that has no usage, Neon; wakes nothing. Of a source that cannot be read the
    file says so. Needs jinja2, which tenantry[service] brings.

    Exit code: 0; 1 where the registry is not valid, or the file cannot be written.

    JSON: {"file", "apps", "problems": [TEXT]}.
    """
    from importlib.util import find_spec

    from tenantry.running.local import current_environment

    with one_line_errors():
        if find_spec("jinja2") is None:
            raise TenantryError(
                "jinja2 is not installed", place="report", way_out="pip install 'tenantry[service]'"
            )
        made = _read(Path.cwd(), current_environment(Path.cwd()))
        try:
            html.write_text(made.html(), "utf-8")
        except OSError as error:
            raise TenantryError(
                f"cannot be written: {error.strerror or error}", place=str(html)
            ) from None
    if as_json:
        print_json({"file": str(html), "apps": len(made.rows), "problems": list(made.problems)})
        return
    for line in made.problems:
        note(line)
    note(f"{html}: {counted(len(made.rows), 'app')}")


def _read(folder: Path, environment: Mapping[str, str]) -> Report:
    from tenantry.fleet.measuring import usage_of
    from tenantry.fleet.project import Project
    from tenantry.pages.rows import Sources, joined
    from tenantry.presenting.report import Report
    from tenantry.registry import load
    from tenantry.selfservice.overview import read_overview
    from tenantry.usage.budgets import over
    from tenantry.usage.measures import Month

    project = Project.open(folder, environment=environment)
    filed = load(folder / project.registry)
    problems: list[str] = []
    whole, overview, usage = filed, None, None
    standings: Mapping[str, Standing] = {}
    try:
        if url := project.catalog_url():
            overview = read_overview(url, filed.namespace)
        whole = project.source.read().registry
    except TenantryError as error:
        problems.append(f"The catalog cannot be read: {error}")
    try:
        standings = _standings(project, whole)
    except TenantryError as error:
        problems.append(f"The states cannot be read: {error}")
    try:
        usage, _ = usage_of(project.catalog_url(), whole, Month.read(None))
    except TenantryError as error:
        problems.append(f"The usage cannot be read: {error}")
    return Report(
        namespace=filed.namespace,
        rows=joined(Sources(filed, overview, standings)),
        usage=usage,
        budgets=over(usage, whole) if usage else (),
        problems=problems,
    )


def _standings(project: Project, registry: Registry) -> dict[str, Standing]:
    """Return how each app stands, by its id: from the stacks of a fleet, or from the current one."""
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.standing import standings
    from tenantry.pages.rows import Standing
    from tenantry.planning.fields import changes
    from tenantry.registry.declared import declared
    from tenantry.running.stack import selected
    from tenantry.states.apps import held_in

    there = project.store.stacks()
    if any("--" in each for each in there):
        rows = standings(Fleet(project.folder).look())
        return {each.app: Standing.of(each.as_json()) for each in rows}
    stack = selected(project.environment)
    state = project.store.state(stack) if stack in there else None
    update = project.store.last([stack]).get(stack)
    found = {}
    for app in registry.apps:
        holding = held_in(state, stack, app.id) if state else None
        before = holding.applied.get("declared") if holding else None
        word = "applied" if holding else "new"
        if before and changes(before, declared(app)):
            word = "changed"
        if update and update.result != "succeeded":
            word = "failed"
        told = {
            "ended": update.ended.isoformat() if update and update.ended else None,
            "result": update.told if update else "",
            "actor": (update.actor or "") if update else "",
        }
        found[app.id] = Standing.of({"app": app.id, "stack": stack, "standing": word} | told)
    return found
