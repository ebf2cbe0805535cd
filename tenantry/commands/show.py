"""`tenantry show`: everything that is known of one app, and no secret."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tenantry.commands.options import REGISTRY, AppId, AsJson, File
from tenantry.presenting.printing import fail, one_line_errors, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry import App
    from tenantry.states.apps import Holding
    from tenantry.states.store import Store


def show(
    app_id: AppId,
    file: File = REGISTRY,
    *,
    as_json: AsJson = False,
) -> None:
    """Show everything that is known of an app, and where its secrets are asked for. No secret; wakes nothing.

    tenantry show acme/web

    Exit code: 0; 1 where neither the registry nor a stack has such an app.

    JSON: {"app", "registry", "names", "state", "pending", "compute", "secrets": [{"what", "command"}]}; registry and
    state are null where it is not there. The state's last_run is {"result", "ended", "by"}.
    """
    from tenantry.errors import did_you_mean
    from tenantry.errors import shown as quoted
    from tenantry.fleet.project import Project
    from tenantry.presenting.showing import formerly_of, shown
    from tenantry.running.local import current_environment
    from tenantry.selfservice.source import source_of

    with one_line_errors():
        environment = current_environment(Path.cwd())
        project = Project.open(Path.cwd(), environment=environment)
        registry = source_of(file, project.catalog_url).read().registry
        app = next((each for each in registry.apps if each.id == app_id), None)
        store = project.store
        current, holding = _holding(app_id, app, environment, store)
        if app is None and holding is None:
            hint = did_you_mean(app_id, {each.id for each in registry.apps})
            fail(f"neither {file} nor a stack has an app {quoted(app_id)}{hint}")
        if app is not None and holding is not None:
            app = app.held_formerly(formerly_of(app, holding))
        update = store.last([holding.stack]).get(holding.stack) if holding else None
        found = shown(app_id, app, holding, _compute(holding, environment), current, update)
    if as_json:
        print_json(found.as_json())
        return
    for line in found.as_text():
        print(line)


def _holding(
    app_id: str, app: App | None, environment: Mapping[str, str], store: Store
) -> tuple[str, Holding | None]:
    """Return the current stack, and how it or the app's own holds the app."""
    from tenantry.registry.names import own_stack
    from tenantry.running.errors import StackError
    from tenantry.running.stack import selected
    from tenantry.states.apps import held_in

    try:
        current = selected(environment)
    except StackError:
        current = ""  # as in a fleet
    there = set(store.stacks())
    # A renaming that was not applied yet is of an app that a stack holds under its id of before.
    for each in (app_id, *(app.renamed_from if app else ())):
        for stack in dict.fromkeys([current, own_stack(each)]):
            holding = held_in(store.state(stack), stack, each) if stack in there else None
            if holding is not None:
                return current, holding
    return current, None


def _compute(holding: Holding | None, environment: Mapping[str, str]) -> str | None:
    from tenantry.errors import TenantryError
    from tenantry.presenting.status import ask_computes
    from tenantry.registry.applied import provider_of

    project = holding.facts.get("project") if holding else None
    if not holding or not project:
        return None
    try:
        asked = [(provider_of(holding.applied), project)]
        return ask_computes(asked, environment).get(project)
    except TenantryError as error:
        return f"cannot be asked: {error}"
