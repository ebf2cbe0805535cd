"""From what the engine would do to what the registry calls it: one row for each app that something happens to."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds.cloud import DatabaseCloud
from tenantry.clouds.neon import ADOPTION
from tenantry.clouds.table import cloud_of
from tenantry.planning.adopting import adoption_lines
from tenantry.planning.fields import changes
from tenantry.planning.monthly import capacity
from tenantry.planning.plan import (
    Action,
    Counts,
    FieldChange,
    PropertyChange,
    Refusal,
    ResourceChange,
    Row,
)
from tenantry.planning.properties import differing, property_changes
from tenantry.planning.resources import IN_PROJECT, kind_of
from tenantry.planning.values import holds_unknown
from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tenantry.planning.events import Resource, Run

_ORDER: Final[tuple[Action, ...]] = ("delete", "replace", "update", "create")
_ACTIONS: Final[Mapping[str, Action]] = {
    "create": "create",
    "replace": "replace",
    "delete": "delete",
}
_PROBLEM: Final = re.compile(
    r".* resource '[^']*'(?:: property \S+ value \{.*?\})? has a problem: "
)
"""What the engine puts before the words of a provider that refuses a resource."""
_POSITION: Final = re.compile(r"(:[0-9]+)*: ")
_APP: Final = re.compile(
    r"(?:graph )?(?P<app>[a-z][a-z0-9-]*/[a-z][a-z0-9-]*)"
    r"|tenants\.(?P<tenant>[a-z0-9-]+)\.apps\.(?P<name>[a-z0-9-]+)"
)


def rows_of(run: Run) -> tuple[Row, ...]:
    """Return what happens to each app, and to what the stack has beside them; what stays as it is has no row."""
    by_app: dict[str | None, list[Resource]] = defaultdict(list)
    for step in run.resources:
        if step.type != tokens.STACK:
            by_app[step.app].append(step)
    components = {step.app: step for step in run.apps}
    notes = _notes(run.warnings, components)
    rows = (
        _row(run.stack, app, components.get(app), steps, notes.get(app, ()))
        for app, steps in by_app.items()
    )
    return in_order(row for row in rows if row is not None)


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Sort rows: those that destroy come first, then by action and name."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                not row.destroys and row.action not in {"delete", "replace"},
                _ORDER.index(row.action),
                row.app or "",
                row.stack,
            ),
        )
    )


def other_warnings(run: Run) -> tuple[str, ...]:
    """Return the warnings that are about no app."""
    noted = _notes(run.warnings, {step.app: step for step in run.apps})
    told = {line for lines in noted.values() for line in lines}
    return tuple(line for line in run.warnings if line not in told)


def refusals_of(run: Run) -> tuple[Refusal, ...]:
    """Return why the run would stop, a refusal for each line that the program says."""
    registry = run.config.get("tenantry:registry", "tenants.yaml")
    found = []
    for text in run.errors:
        lines = _PROBLEM.sub("", text, count=1).splitlines()
        # The lines of a traceback stay together.
        whole = any(line.startswith((" ", "\t", "Traceback")) for line in lines)
        found += [
            Refusal(stack=run.stack, app=_app_in(line, registry), text=line)
            for line in ([text] if whole else lines)
            if line.strip()
        ]
    return tuple(found)


def _row(
    stack: str,
    app: str | None,
    component: Resource | None,
    steps: list[Resource],
    notes: Collection[str],
) -> Row | None:
    before = _declared_before(component) if component else None
    after = component.new.outputs.get("declared") if component and component.new else None
    edited = changes(before, after)
    resources = [
        step for step in steps if step.custom and not step.type.startswith(tokens.PROVIDERS)
    ]
    counts = Counter(step.operation for step in resources)
    action = _action(component, resources, edited)
    if action is None:
        return None
    return Row(
        stack=stack,
        app=app,
        action=action,
        resources=Counts(
            create=counts["create"],
            update=counts["update"],
            replace=counts["replace"],
            delete=counts["delete"],
            unchanged=counts["same"],
        ),
        destroys=_destroyed(resources),
        notes=(*sorted(notes), *_adopted(resources, after), *_revisions(resources)),
        changes=edited,
        others=() if action in {"create", "delete"} else _others(resources, edited, action),
        capacity=capacity(before, after),
    )


def _action(
    component: Resource | None, resources: list[Resource], edited: Collection[FieldChange]
) -> Action | None:
    project = next((step for step in resources if _is_project(step)), component)
    if project is not None and project.operation in _ACTIONS:
        return _ACTIONS[project.operation]
    pending = edited or any(step.operation != "same" for step in resources)
    return "update" if pending else None


def _is_project(step: Resource) -> bool:
    return isinstance(cloud_of(step.type), DatabaseCloud)


def _declared_before(component: Resource) -> str | None:
    """Return what was declared when the app was applied last, or as much of it as an older version kept."""
    kept = component.old.outputs if component.old else {}
    if not kept.get("app"):
        return None
    if "declared" in kept:
        return str(kept["declared"])
    tenant, _, name = kept["app"].partition("/")
    return json.dumps(
        {
            "id": kept["app"],
            "tenant": tenant,
            "name": name,
            "region": kept["region"],
            "deletion": kept["deletion"],
            "database": {
                "postgres_version": int(kept["postgresVersion"]),
                "credentials": {"generation": int(kept["generation"])},
                "branches": {branch: {} for branch in kept["branches"]},
            },
            "api_keys": {
                key: {"generation": int(generation)}
                for key, generation in (kept.get("apiKeys") or {}).items()
            },
        }
    )


def _destroyed(resources: list[Resource]) -> tuple[str, ...]:
    gone = [
        step
        for step in resources
        if step.operation in {"delete", "replace"} and step.old and not step.old.retain
    ]
    with_project = any(_is_project(step) for step in gone)
    return tuple(
        sorted(
            kind_of(step.type).lost.format(step.name)
            for step in gone
            if kind_of(step.type).lost and not (with_project and step.type in IN_PROJECT)
        )
    )


def _adopted(resources: list[Resource], declared: str | None) -> tuple[str, ...]:
    for step in resources:
        if step.type == ADOPTION and step.operation == "create" and step.new and declared:
            inputs = step.new.inputs
            return adoption_lines(inputs["found"], declared, inputs["name"])
    return ()


def _revisions(resources: list[Resource]) -> Iterator[str]:
    for step in resources:
        if step.type == tokens.MIGRATION and step.operation in {"update", "replace"}:
            before, after = _revisions_of(step)
            run = [each for each in after if each not in before or step.operation == "replace"]
            back = [each for each in before if each not in after]
            if run:
                yield f"migration: runs {', '.join(run)}"
            if back:
                yield f"migration: takes back {', '.join(back)}, with the data in what they made"


def _revisions_of(step: Resource) -> tuple[list[str], list[str]]:
    before, after = (
        list(state.inputs.get("revisions") or ()) if state else [] for state in (step.old, step.new)
    )
    return before, after


def _others(
    resources: list[Resource], edited: Collection[FieldChange], action: Action
) -> tuple[ResourceChange, ...]:
    fields = {change.field for change in edited}
    found: list[ResourceChange] = []
    consequences: list[ResourceChange] = []
    for step in resources:
        if step.operation == "same" or (action == "replace" and step.operation == "replace"):
            continue
        change = _unaccounted(step, fields)
        if change is not None:
            (consequences if kind_of(step.type).consequence else found).append(change)
    if not found and not edited:
        found = consequences
    return tuple(sorted(found, key=lambda change: (change.kind, change.name)))


def _unaccounted(step: Resource, fields: Collection[str]) -> ResourceChange | None:
    """Return the part of a step that no changed field of the registry explains; None where they explain all of it."""
    kind = kind_of(step.type)
    properties: tuple[PropertyChange, ...] = ()
    if step.operation == "update":
        before = step.old.inputs if step.old else {}
        after = step.new.inputs if step.new else {}
        names = differing(step, before, after)
        told = _told_by_revisions(step)
        left = [
            name
            for name in names
            if not _accounts(kind.fields(name), fields)
            and name not in told
            and not holds_unknown(after.get(name))
        ]
        if names and not left:
            return None
        properties = tuple(
            change
            for name in left
            for change in property_changes(name, _was(step, name), after.get(name))
        )
    if not properties and _accounts(kind.fields(), fields):
        return None
    return ResourceChange(
        operation="update" if step.operation == "same" else step.operation,
        kind=kind.word,
        name=step.name,
        properties=properties,
    )


def _was(step: Resource, name: str) -> Any:  # noqa: ANN401  # any JSON value
    """Return a property's old value: as it was asked for, or where that is unchanged, as the cloud last told it."""
    if step.old is None:
        return None
    asked = step.old.inputs.get(name)
    unchanged = step.new is not None and asked == step.new.inputs.get(name)
    return step.old.outputs.get(name, asked) if unchanged else asked


def _told_by_revisions(step: Resource) -> Collection[str]:
    before, after = _revisions_of(step) if step.type == tokens.MIGRATION else ([], [])
    return ("revisions", "target", "digest") if before != after else ()


def _accounts(followed: Iterable[str], fields: Collection[str]) -> bool:
    return any(
        field == each or field.startswith(f"{each}.") for each in followed for field in fields
    )


def _notes(warnings: Iterable[str], apps: Collection[str | None]) -> dict[str | None, list[str]]:
    notes: dict[str | None, list[str]] = defaultdict(list)
    for line in warnings:
        app = _app_in(line)
        if app in apps:
            notes[app].append(line)
    return notes


def _app_in(line: str, registry: str = "") -> str | None:
    """Return the app that a line is about; lines of the registry begin with its file and a position."""
    if registry and line.startswith(registry):
        line = _POSITION.sub("", line.removeprefix(registry), count=1)
    found = _APP.match(line)
    if found is None:
        return None
    return found["app"] or f"{found['tenant']}/{found['name']}"
