"""`tenantry status`: where each app lives, and whether its compute is awake."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.presenting.printing import one_line_errors, print_json


def status(
    file: Annotated[Path, typer.Argument(help="The registry.")] = Path("tenants.yaml"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Show where each app lives and whether its compute is awake. Wakes nothing.

    tenantry status

    Exit code: 0; 1 where the stack or Neon cannot be asked.

    JSON: [{"app", "project", "region", "host", "database", "schema", "services", "keys", "status"}].
    """
    from tenantry.presenting.status import ask_statuses, print_statuses
    from tenantry.registry import load
    from tenantry.running.local import current_environment
    from tenantry.running.stack import outputs

    with one_line_errors():
        registry = load(file)
        environment = current_environment(Path.cwd())
        applied = outputs(environment).get("apps", {})
        rows = ask_statuses(registry.apps, applied, environment)
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        print_statuses(rows, {app.id: app.database.url_scheme for app in registry.apps})
