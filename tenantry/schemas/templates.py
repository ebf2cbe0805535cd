"""The schema templates that come with Tenantry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Template:
    """A template: the folders of its revisions, and the extensions that they use."""

    name: str
    folders: tuple[Path, ...]
    extensions: tuple[str, ...] = ()


def _template(
    name: str, *, after: tuple[str, ...] = (), extensions: tuple[str, ...] = ()
) -> Template:
    folders = tuple(_HERE / each / "versions" for each in (*after, name))
    return Template(name, folders, extensions)


# A template that is built on another one reads the other's files too. Its first revision follows one of the other's,
# and a merge revision joins what the other gets later. So the tables of base are written once. A test checks that
# every template has one head.
TEMPLATES: Final = {
    each.name: each
    for each in (
        _template("base"),
        _template("neonhub", after=("base",), extensions=("pg_trgm",)),
    )
}
