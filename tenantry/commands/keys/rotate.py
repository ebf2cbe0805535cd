"""`tenantry keys rotate`: issue a new key by a change of the registry."""

from __future__ import annotations

from tenantry.commands.keys.options import AsJson, KeyName, Write
from tenantry.commands.options import REGISTRY, AppId, File
from tenantry.presenting.notes import note
from tenantry.presenting.printing import one_line_errors, print_edit


def rotate(
    app_id: AppId,
    name: KeyName,
    file: File = REGISTRY,
    *,
    write: Write = False,
    as_json: AsJson = False,
) -> None:
    """Print the change of the registry that issues a new key, or make it with --write. Asks nobody.

    tenantry keys rotate acme/web default --write

    The previous key stays valid until the next rotation.

    Exit code: 0; 1 where the file cannot be changed.

    JSON: {"app", "name", "generation", "file", "written", "diff"}.
    """
    from tenantry.catalog.keys import live_generations
    from tenantry.registry.days import is_over
    from tenantry.registry.editing import RegistryFile
    from tenantry.registry.rotating import rotate_key

    with one_line_errors():
        source = RegistryFile.read(file)
        key = source.api_key(app_id, name)
        edit = rotate_key(source, app_id, name)
        if write:
            edit.write()
    new = key.generation + 1
    print_edit(edit, write, as_json=as_json, app=app_id, name=name, generation=new)
    if as_json:
        return
    ending = [n for n in live_generations(key.generation, key.revoked) if n < key.generation]
    ends = f" and ends generation {ending[0]}" if ending else ""
    if is_over(key.expires):
        note(
            f"{app_id} {name} expired with {key.expires}, and so will the new key: write another day"
        )
    note(
        f"Next: tenantry up, which makes generation {new}{ends}; then tenantry keys show {app_id} {name}"
    )
