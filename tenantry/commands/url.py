"""`tenantry url`: an app's connection URL."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.options import AppId, AsJson
from tenantry.presenting.printing import fail, one_line_errors, print_json


def url(
    app_id: AppId,
    *,
    pooled: Annotated[bool, typer.Option("--pooled", help="Through the pooler.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print an app's connection URL, a secret: its password is in it.

    tenantry url acme/web

    Exit code: 0; 1 where the stack has no such app.

    JSON: {"app", "kind", "url"}; kind is direct or pooled.
    """
    from tenantry.errors import did_you_mean
    from tenantry.running.local import current_environment
    from tenantry.running.stack import outputs

    with one_line_errors():
        urls = outputs(current_environment(Path.cwd()), secrets=True).get("urls", {})
    if app_id not in urls:
        fail(f'the stack holds no app "{app_id}"{did_you_mean(app_id, urls)}')
    kind = "pooled" if pooled else "direct"
    if as_json:
        print_json({"app": app_id, "kind": kind, "url": urls[app_id][kind]})
    else:
        print(urls[app_id][kind])
