"""What is written, with the defaults beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tenantry.registry.written.mapping import Written

_WHOLE: Final = frozenset({"schema_source", "maintenance_window", "graph", "graphs_per_user"})
"""Mappings whose keys belong together: one that is written replaces the whole default."""


def given(model: Written | None) -> dict[str, Any]:
    """Return what is written in `model`, without what is not."""
    return model.model_dump(exclude_unset=True) if model else {}


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return `above` with what it lacks taken from `below`, mapping by mapping; lists are not joined."""
    if not below or not above:
        return above or below
    result = below | above
    for key in below.keys() & above.keys() - _WHOLE:
        if isinstance(above[key], dict):
            result[key] = merged(below[key], above[key])
    return result
