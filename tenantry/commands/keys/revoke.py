"""`tenantry keys revoke`: end a key in the catalog and in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenantry.commands.keys.options import AsJson, KeyName, Write
from tenantry.commands.options import REGISTRY, AppId, File
from tenantry.presenting.keys import outcome_text
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, one_line_errors, print_edit


def revoke(
    app_id: AppId,
    name: KeyName,
    file: File = REGISTRY,
    *,
    generation: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Which generation; may be given twice. Needed where two are valid."
        ),
    ] = None,
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a key in the catalog at once; print the change of the registry that keeps it so, or make it with --write.

    tenantry keys revoke acme/web default --generation 1 --write

    Exit code: 0, also for a key that was revoked before; 1 where it is in neither, or the registry cannot be changed.

    JSON: {"app", "name", "generations": [{"generation", "catalog"}], "file", "written", "diff"}.
    """
    from tenantry.catalog.revoking import revoke_key_everywhere
    from tenantry.catalog.session import find_catalog_url
    from tenantry.registry.editing import RegistryFile

    with one_line_errors():
        source = RegistryFile.read(file)
        url = find_catalog_url(Path.cwd())
        ended = revoke_key_everywhere(source, url, app_id, name, generation or ())
        edit = ended.edit
        if write:
            edit.write()
    said = {n: outcome_text(ended.catalog, n) for n in ended.generations}
    if as_json:
        states = [{"generation": n, "catalog": state} for n, (state, _) in said.items()]
        print_edit(edit, write, as_json=True, app=app_id, name=name, generations=states)
    else:
        for number, (_, text) in said.items():
            note(f"{app_id} {name}, generation {number}: {text}")
        if ended.unchanged is None:
            print_edit(edit, write)
    if ended.unchanged:
        fail(str(ended.unchanged))
    if edit.before != edit.after and not as_json:
        note("Next: tenantry up takes the change over")
