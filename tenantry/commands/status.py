"""`tenantry status`: where each app lives, and whether its compute is awake."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AsArray
from tenantry.presenting.printing import one_line_errors, print_json


def status(
    file: Annotated[Path | None, typer.Argument(help="The registry. Default: the stack's.")] = None,
    *,
    as_json: AsArray = False,
) -> None:
    """Show where each app lives and whether its compute is awake. Wakes nothing.

    tenantry status

    Exit code: 0; 1 where the stack or Neon cannot be asked.

    JSON: [{"app", "project", "region", "host", "database", "schema", "services", "keys", "status"}].
    """
    from tenantry.applying.frozen import lines_on
    from tenantry.presenting.notes import note
    from tenantry.presenting.status import ask_statuses, print_statuses, providers_in
    from tenantry.registry import load
    from tenantry.running.errors import StackError
    from tenantry.running.local import current_environment
    from tenantry.running.settings import project_name, registry_of
    from tenantry.running.stack import selected
    from tenantry.running.words import not_there
    from tenantry.states.apps import resources_of
    from tenantry.states.store import open_store

    with one_line_errors():
        environment = current_environment(Path.cwd())
        stack = selected(environment)
        registry = load(file or registry_of(Path.cwd(), stack))
        store = open_store(environment, project_name(Path.cwd()))
        if stack not in (there := store.stacks()):
            raise StackError(not_there(stack, there))
        resources = resources_of(store.state(stack))
        rows = ask_statuses(registry.apps, resources, environment)
        for line in lines_on(Path.cwd(), environment):
            note(line)
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        schemes = {app.id: app.database.url_scheme for app in registry.apps}
        print_statuses(rows, schemes, providers_in(resources))
