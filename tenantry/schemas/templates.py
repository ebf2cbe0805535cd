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


# A template that is built on another reads that one's files too: its first revision follows one of the other's, and a
# later revision of the other is joined by a merge revision. So base's tables are written once, and every template
# has one head, which a test holds fast.
TEMPLATES: Final = {
    each.name: each
    for each in (
        _template("base"),
        _template("neonhub", after=("base",), extensions=("pg_trgm",)),
    )
}
