"""Which apps the registry declares otherwise than an earlier git revision of it did."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tenantry.fleet.errors import FleetError
from tenantry.registry import RegistryError, load
from tenantry.registry.declared import declared
from tenantry.schemas.history import history_of
from tenantry.selfservice.source import joined
from tenantry.surroundings import bare

if TYPE_CHECKING:
    from tenantry.registry import Registry
    from tenantry.registry.source import Reading

_USERS: Final = re.compile(r"""users_file:\s*["']?([^"'\s,}#]+)""")


def changed_since(now: Reading, file: Path, revision: str) -> frozenset[str]:
    """Name the apps that are new, differ, or left since a revision, or whose schema's history has a file that changed.

    Apps are compared with their defaults, in the working tree. The order and the comments of the file do not count.
    Rows have no revision: an app that was asked for differs where its plan does.

    :param now: the registry as it is now
    :param file: where it was read
    :param revision: a commit, branch or tag of git
    :raises FleetError: it is no git repository, there is no such revision, the registry was not in it or was not valid
    """
    folder = file.absolute().parent
    before = _registry_at(folder, file.name, revision)
    # What is in a row now may have been in the file then.
    asked = [row for row in now.rows if not before.declares(row.app_id)]
    before = joined(before, asked).registry
    old = {app.id: declared(app) for app in before.apps}
    new = {app.id: declared(app) for app in now.registry.apps}
    changed = {app for app in old.keys() | new.keys() if old.get(app) != new.get(app)}
    touched: dict[tuple[str | None, str | None], bool] = {}
    for app in now.registry.apps:
        source = app.database.schema_source
        if app.id in changed or source is None:
            continue
        key = (source.template, source.path)
        if key not in touched:
            touched[key] = _history_changed(folder, key, revision)
        if touched[key]:
            changed.add(app.id)
    return frozenset(changed)


def _registry_at(folder: Path, name: str, revision: str) -> Registry:
    with TemporaryDirectory(prefix="tenantry-") as scratch:
        copy = Path(scratch) / "registry" / name
        copy.parent.mkdir()
        content = _git(folder, "show", f"{revision}:./{name}")
        copy.write_bytes(content)
        # Lists of users that stand in files of their own are part of the registry.
        for users in set(_USERS.findall(content.decode("utf-8", "replace"))):
            target = copy.parent / users
            if not target.resolve().is_relative_to(Path(scratch).resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_git(folder, "show", f"{revision}:./{users}"))
        try:
            return load(copy)
        except RegistryError as error:
            first = str(error).splitlines()[0].replace(f"{copy.parent}/", f"{revision}:")
            raise FleetError(
                f"--changed-since {revision}: the registry was not valid then ({first}): name a revision at which it was"
            ) from None


def _history_changed(folder: Path, key: tuple[str | None, str | None], revision: str) -> bool:
    template, path = key
    _, layout = history_of(template, str(folder / path) if path else None)
    for versions in layout.versions:
        inside = (
            _git(versions, "rev-parse", "--is-inside-work-tree", check=False).strip() == b"true"
        )
        # A template of an installed package has no revision: it changes with the package.
        if inside and (
            _git(versions, "diff", "--name-only", revision, "--", ".")
            or _git(versions, "ls-files", "--others", "--exclude-standard", "--", ".")
        ):
            return True
    return False


def _git(folder: Path, *arguments: str, check: bool = True) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 the arguments are ours, or a revision's name behind them
            ["git", "-C", str(folder), *arguments],  # noqa: S607 the user's own git
            capture_output=True,
            check=False,
            env=bare(os.environ),
        )
    except FileNotFoundError:
        raise FleetError("--changed-since asks git, which is not on PATH") from None
    if check and done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        raise FleetError(f"--changed-since: {said[-1].removeprefix('fatal: ')}")
    return done.stdout
