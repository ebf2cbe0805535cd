"""The schema templates that come with Tenantry, and those that installed packages bring.

A package brings one by an entry point of the group `tenantry.templates`, whose name is the template's and whose object
is a `Template`. Templates in folders of the operator's own are the registry's matter (`tenantry.registry.templates`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.schemas.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

GROUP: Final = "tenantry.templates"
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


def known_templates() -> tuple[str, ...]:
    """Name the templates that there are without a registry: ours first."""
    return (*TEMPLATES, *sorted(_installed().keys() - TEMPLATES.keys()))


def is_known(name: str) -> bool:
    """Tell whether there is such a template; packages are asked only where it is none of ours."""
    return name in TEMPLATES or name in _installed()


@cache
def template_named(name: str) -> Template:
    """Return a template of ours, or of an installed package; the name of one of ours is not another's.

    :raises SchemaError: there is none, more than one package brings it, or the package's cannot be used
    """
    if name in TEMPLATES:
        return TEMPLATES[name]
    found = _installed().get(name, ())
    if not found:
        raise SchemaError(
            f'no package brings template "{name}": install it where tenantry runs, or write one of {", ".join(known_templates())}'
        )
    if len(found) > 1:
        packages = ", ".join(sorted(map(_package, found)))
        raise SchemaError(f'template "{name}" is brought by {packages}: keep one of them installed')
    (entry,) = found
    try:
        brought = entry.load()
    # Whatever a package's own code may do.
    except Exception as error:  # noqa: BLE001
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SchemaError(
            f'template "{name}" of package {_package(entry)} cannot be loaded ({entry.value}): {reason}'
        ) from None
    if not isinstance(brought, Template):
        raise SchemaError(
            f'template "{name}" of package {_package(entry)}: {entry.value} is no tenantry.schemas.templates.Template'
        )
    return replace(brought, name=name)


@cache
def _installed() -> Mapping[str, tuple[EntryPoint, ...]]:
    # Imported here: it goes through all installed packages, and most registries name none of theirs.
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = defaultdict(tuple)
    for each in entry_points(group=GROUP):
        found[each.name] += (each,)
    return dict(found)


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
