"""What differs between a resource's properties before and after a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tenantry.planning.plan import PropertyChange
from tenantry.planning.values import is_secret, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.planning.events import Properties, Resource


def differing(step: Resource, before: Properties, after: Properties) -> list[str]:
    """Return the sorted names of the properties that differ: those that the provider names, else all that changed."""
    named = step.differing or before.keys() | after.keys()
    return sorted(
        name
        for name in named
        if not name.startswith("__")
        and (name in step.differing or before.get(name) != after.get(name))
    )


def property_changes(name: str, before: Any, after: Any) -> Iterator[PropertyChange]:  # noqa: ANN401  # any JSON value
    """Tell a property's change; of a mapping, the change of each entry that differs."""
    if isinstance(before, dict) and isinstance(after, dict) and not is_secret(before):
        for key in sorted(before.keys() | after.keys()):
            if not key.startswith("__") and before.get(key) != after.get(key):
                yield from property_changes(f"{name}.{key}", before.get(key), after.get(key))
        return
    yield PropertyChange(
        name=name,
        old=None if before is None else shown(before),
        new=None if after is None else shown(after),
    )
