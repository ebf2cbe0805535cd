"""From the name of a schema template to where its revisions are: ours, a package's, or a folder of the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenantry.errors import did_you_mean, shown
from tenantry.schemas.templates import is_known, known_templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry.written.templates import Template


def resolved(source: dict[str, Any], own: Mapping[str, Template]) -> dict[str, Any]:
    """Return a schema as written, with the folder and the extensions of a template that is the operator's own.

    :param own: the registry's `templates`
    :raises LookupError: there is no such template
    """
    name = source.get("template")
    if name is None:
        return source
    if found := own.get(name):
        return {**source, "path": found.path, "extensions": tuple(found.extensions or ())}
    if not is_known(name):
        known = (*known_templates(), *own)
        raise LookupError(
            f"{shown(name)} is not a template: write one of {', '.join(known)}, or a path that starts with "
            f"./, ../ or /{did_you_mean(name, known)}"
        )
    return source
