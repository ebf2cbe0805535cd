"""`tenantry keys show`: a key itself."""

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.keys.options import AsJson, KeyName
from tenantry.commands.options import AppId
from tenantry.presenting.printing import fail, one_line_errors, print_json


def show(
    app_id: AppId,
    name: KeyName,
    *,
    generation: Annotated[
        int | None, typer.Option(min=1, help="Which generation. Without it, the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a key itself, a secret, from the stack's outputs.

    tenantry keys show acme/web default

    Exit code: 0; 1 where the stack has no such key.

    JSON: {"app", "name", "generation", "key"}.
    """
    from tenantry.errors import did_you_mean
    from tenantry.running.local import current_environment
    from tenantry.running.stack import outputs

    with one_line_errors():
        apps = outputs(current_environment(Path.cwd()), secrets=True).get("apiKeys", {})
    if app_id not in apps:
        fail(f'the stack holds no API keys of an app "{app_id}"{did_you_mean(app_id, apps)}')
    if name not in apps[app_id]:
        hint = did_you_mean(name, apps[app_id])
        fail(f'the stack holds no API key "{name}" of {app_id}{hint}')
    generations = {int(each): key for each, key in apps[app_id][name].items()}
    wanted = max(generations, default=0) if generation is None else generation
    if wanted not in generations:
        have = ", ".join(map(str, sorted(generations))) or "none: every one is revoked"
        fail(f"the stack does not hold generation {wanted} of {name} of {app_id}: it holds {have}")
    if as_json:
        key = generations[wanted]
        print_json({"app": app_id, "name": name, "generation": wanted, "key": key})
    else:
        print(generations[wanted])
