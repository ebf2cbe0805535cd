"""What changed of an app in the registry's own words: two declared texts compared, field by field."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tenantry.planning.plan import FieldChange
from tenantry.planning.values import written

if TYPE_CHECKING:
    from collections.abc import Iterator

Facts = dict[str, Any]

_TENANTS: Final = {"tenant_name": "tenants.{}.name", "contact": "tenants.{}.contact"}
"""What an app takes from its tenant, and where it is written."""
_PLACE: Final = frozenset({"id", "name", "tenant"})
"""What says which app it is."""
_RENAMED: Final = "renamed: its project, data, logins and keys stay"
_ALWAYS: Final = ("environment", "region", "database.postgres_version", "deletion")
"""Fields of a new app that are shown also where they have the default."""
_WHOLE: Final = frozenset(
    {"database.schema", "database.maintenance_window", "graph", "graphs_per_user"}
)
"""Fields of a new app that are shown on one line, as they are written."""
_PROJECT_ANEW: Final = "which replaces the project: all data in it is lost"
_GRAPH_ANEW: Final = "which replaces the graph: all data in it is lost"
_EFFECTS: Final = (
    (re.compile(r"region|database\.(postgres_version|provider)"), _PROJECT_ANEW),
    (re.compile(r"(graph|graphs_per_user)\.(type|cloud|region|version)"), _GRAPH_ANEW),
    (
        re.compile(r"database\.logical_replication"),
        "which restarts its computes, and cannot be turned off again",
    ),
    (
        re.compile(r"database\.credentials\.generation"),
        "which moves the app to its other login; the one before stays valid",
    ),
    (
        re.compile(r"api_keys\.[^.]+\.generation"),
        "which makes a new key; the one before stays valid",
    ),
)
_REMOVALS: Final = (
    (re.compile(r"adopt"), "which changes nothing: the project is the app's already"),
    (
        re.compile(r"database\.(block_public_connections|maintenance_window|quota)"),
        "which leaves the project's as it is",
    ),
    (re.compile(r"api_keys\.[^.]+"), "which revokes all its generations"),
    (re.compile(r"services\.[^.]+"), "which ends its registration"),
)
_OF_NEW: Final = {"adopt.project": "which is taken over with its data"}
"""What is said of a new app's fields."""
_DELETION: Final = {
    "protect": "which keeps runs from destroying it",
    "retain": "which lets a later run give it up: its project stays in the cloud",
    "delete": "which lets a later run destroy it",
}


def changes(before: str | None, after: str | None) -> tuple[FieldChange, ...]:
    """Compare an app as it was applied last with what the registry says now, sorted by field.

    A field that `before` does not know, because an older version applied it, counts as unchanged.

    :param before: as `tenantry.registry.declared` gives it; None for a new app: then each value that is
        not a default is said
    :param after: None for an app that leaves, of which nothing is said
    """
    if after is None:
        return ()
    now = json.loads(after)
    if before is None:
        return tuple(sorted(_new(now), key=lambda change: change.field))
    return differences(json.loads(before), now)


def differences(old: Facts, new: Facts) -> tuple[FieldChange, ...]:
    """Compare the fields that `old` has with those of an app, sorted by field.

    :param new: an app as `tenantry.registry.declared` gives it
    """
    found = [*_renamed(old, new), *_compared(old, new, "")]
    return tuple(sorted((_named(each, new) for each in found), key=lambda change: change.field))


def _renamed(old: Facts, new: Facts) -> Iterator[FieldChange]:
    if old.get("id", new["id"]) != new["id"]:
        yield FieldChange(field="id", old=old["id"], new=new["id"], effect=_RENAMED)


def _compared(old: Facts, new: Facts, above: str) -> Iterator[FieldChange]:
    for key in sorted(new):
        field = f"{above}{key}"
        before, after = old.get(key), new[key]
        if key not in old or field in _PLACE or _same(before, after):
            continue
        if _is_mapping(before) and _is_mapping(after):
            inside = _entries if _is_entries(field) else _compared
            yield from inside(before or {}, after or {}, f"{field}.")
        else:
            yield _change(field, before, after)


def _entries(old: Facts, new: Facts, above: str) -> Iterator[FieldChange]:
    for name in sorted(old.keys() | new.keys()):
        entry = f"{above}{name}"
        if name not in old:
            yield _change(entry, None, new[name])
        elif name not in new:
            yield _change(entry, old[name], None)
        else:
            yield from _compared(old[name], new[name], f"{entry}.")


def _change(field: str, old: Any, new: Any) -> FieldChange:  # noqa: ANN401  # any JSON value
    entry = _is_entries(field.rpartition(".")[0])
    gone = entry and new is None
    return FieldChange(
        field=field,
        old=None if entry and old is None else written(old, field),
        new=None if gone else written(new, field),
        effect=_effect(field, old, new),
    )


def _effect(field: str, old: Any, new: Any) -> str | None:  # noqa: ANN401  # any JSON value
    if field == "deletion":
        return _DELETION[new]
    known = _EFFECTS if old is not None and new is not None else _REMOVALS if new is None else ()
    return next((effect for pattern, effect in known if pattern.fullmatch(field)), None)


def _named(change: FieldChange, app: Facts) -> FieldChange:
    path = _TENANTS.get(change.field)
    return change.model_copy(update={"field": path.format(app["tenant"])}) if path else change


def _new(now: Facts) -> Iterator[FieldChange]:
    given = dict(_leaves(now, ""))
    usual = dict(_leaves(_usual(now), ""))
    for field, value in given.items():
        if field in _ALWAYS or (value != usual.get(field) and value not in (None, [], {})):
            yield FieldChange(
                field=field, old=None, new=written(value, field), effect=_OF_NEW.get(field)
            )


def _leaves(facts: Facts, above: str) -> Iterator[tuple[str, Any]]:
    for key, value in facts.items():
        field = f"{above}{key}"
        if field in _PLACE or field in _TENANTS or field == "namespace":
            continue
        whole = field in _WHOLE or _is_entries(above[:-1])
        if isinstance(value, dict) and not whole:
            yield from _leaves(value, f"{field}.")
        else:
            yield field, value


def _usual(now: Facts) -> Facts:
    from tenantry.registry.declared import declared
    from tenantry.registry.models import App, Location

    app = App(
        id=now["id"],
        namespace=now["namespace"],
        tenant=now["tenant"],
        tenant_name="",
        contact=None,
        name=now["name"],
        environment=now["environment"],
        region=now["region"],
        location=Location("", 0),
    )
    usual: Facts = json.loads(declared(app))
    return usual


def _is_entries(field: str) -> bool:
    """Tell whether a field holds entries by name, each of which comes and goes as a whole."""
    return field in {"api_keys", "services", "database.branches"}


def _is_mapping(value: object) -> bool:
    # A list of entries that has none.
    return isinstance(value, dict) or value == []


def _same(old: object, new: object) -> bool:
    return old == new or (old in ([], {}) and new in ([], {}))
