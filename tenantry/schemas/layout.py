"""Where the parts of a history are: its revisions, its environment, its configuration."""

from __future__ import annotations

import configparser
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenantry.schemas.errors import SchemaError
from tenantry.schemas.templates import TEMPLATES, template_named

ENVIRONMENT: Final = Path(__file__).parent / "environment"
"""The environment of a history that has none of its own."""

_SECTION: Final = "alembic"
_SEPARATORS: Final = {"os": os.pathsep, "space": " ", "newline": "\n", ":": ":", ";": ";"}


@dataclass(frozen=True)
class Layout:
    """The folders and files that Alembic is given."""

    scripts: Path
    """The folder of `env.py`."""
    versions: tuple[Path, ...]
    ini: Path | None = None
    ours: bool = False
    """Whether it is a template of ours, whose files change nothing of the process that runs them."""


def layout_of(name: str, *, template: str | None, path: str | None) -> Layout:
    """Find the parts of a template, or of the folder at `path`, which may have a template's name.

    A folder is one of three:

    - one with `alembic.ini`, whose `script_location` and `version_locations` are followed, relative ones from there;
    - a folder of scripts, with `env.py` and `versions/`;
    - a folder with `versions/` alone, which runs in Tenantry's own environment.

    :param name: what messages call the history
    :raises SchemaError: the folder is not there, or not a history
    """
    if template is not None and path is None:
        folders = template_named(template).folders
        return Layout(ENVIRONMENT, folders, ours=template in TEMPLATES)
    folder = Path(path or "").absolute()
    if not folder.is_dir():
        raise SchemaError(f"{name} is not a folder: {folder}")
    ini = folder / "alembic.ini"
    scripts, versions = _configured(name, ini) if ini.is_file() else (folder, ())
    versions = versions or (scripts / "versions",)
    if not versions[0].is_dir():
        raise SchemaError(
            f"{name} is not an Alembic history: {versions[0]} is not there; a history has alembic.ini, or env.py and "
            "versions/, or versions/ alone"
        )
    own = (scripts / "env.py").is_file()
    return Layout(scripts if own else ENVIRONMENT, versions, ini if ini.is_file() else None)


def _configured(name: str, ini: Path) -> tuple[Path, tuple[Path, ...]]:
    parser = configparser.ConfigParser({"here": ini.parent.as_posix()})
    try:
        parser.read_string(ini.read_text(encoding="utf-8"), str(ini))
        values = dict(parser[_SECTION]) if parser.has_section(_SECTION) else {}
    except (OSError, ValueError, configparser.Error) as error:
        reason = str(error).splitlines()[0]
        raise SchemaError(f"{name}: {ini} cannot be read: {reason}") from None
    if values.get("recursive_version_locations", "false").strip().lower() in {
        "true",
        "1",
        "yes",
        "on",
    }:
        raise SchemaError(
            f"{name}: recursive_version_locations in {ini} is not supported: name the folders"
        )
    location = values.get("script_location", ".")
    if ":" in location:
        raise SchemaError(
            f"{name}: script_location in {ini} must be a folder, not a package's resource"
        )
    separator = values.get("path_separator") or values.get("version_path_separator")
    written = values.get("version_locations", "")
    parts = (
        written.split(_SEPARATORS.get(separator, os.pathsep))
        if separator
        else re.split(r",\s*|\s+", written)
    )
    folders = tuple(ini.parent / part.strip() for part in parts if part.strip())
    return ini.parent / location, folders
