"""Remarks at lines of the registry: its problems, what happens to each app, and what is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from tenantry.planning.lines import details

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tenantry.planning.plan import Plan, Row
    from tenantry.registry.document import Document, Path
    from tenantry.registry.problems import Problem

Level = Literal["error", "warning", "notice"]

MOST: Final = 10
"""Annotations of one level that GitHub keeps of a step (GitHub Actions, "Annotation limits")."""
_LINES: Final = 30
_LENGTH: Final = 400


@dataclass(frozen=True)
class Annotation:
    """One remark."""

    level: Level
    file: str
    """As seen from the repository's root."""
    line: int
    """From 1; 0 where it is about the file as a whole."""
    column: int
    """From 1, in characters; 0 where it is about the whole line."""
    title: str
    text: str
    """Any number of lines."""


def of_problems(problems: Iterable[Problem], file: str) -> list[Annotation]:
    """Return what is wrong with a registry, an error for each problem."""
    return [
        Annotation("error", file, each.line, each.column, each.path or "registry", each.message)
        for each in problems
    ]


def of_plan(plan: Plan, source: Document, file: str) -> list[Annotation]:
    """Return what happens to each app, at its first line that changes. A loss is a warning, a refusal an error."""
    found = [
        Annotation(
            "error",
            file,
            *_place(each.text, each.app, source),
            each.app or "refused",
            _without_place(each.text, source.file),
        )
        for each in plan.refusals
    ]
    for row in plan.rows:
        if row.app is None:
            continue
        destroys = row.destroys or row.action in {"delete", "replace"}
        found.append(
            Annotation(
                "warning" if destroys else "notice",
                file,
                *_changed(row, source),
                f"{row.app}: {row.action}",
                _text(row),
            )
        )
    return found


def limited(annotations: Sequence[Annotation], most: int = MOST) -> list[Annotation]:
    """Keep as many of each level as are shown; the last that is kept says how many more there are."""
    kept: list[Annotation] = []
    for level in ("error", "warning", "notice"):
        each = [one for one in annotations if one.level == level]
        if len(each) > most:
            last = each[most - 1]
            more = (
                f"{last.text}\nand {len(each) - most} more: the comment and the log have them all"
            )
            each = [*each[: most - 1], replace(last, text=more)]
        kept += each
    return kept


def as_command(annotation: Annotation) -> str:
    """Return an annotation as GitHub's runner takes it from a step's output, on one line.

    Nothing in its text can end the line or begin another command. `%`, CR and LF are escaped in the text, `:` and `,`
    as well in what comes before it (GitHub Actions, "Workflow commands").
    """
    place = {"line": annotation.line, "col": annotation.column}
    given = {
        "file": annotation.file,
        **{key: str(number) for key, number in place.items() if number},
        "title": annotation.title,
    }
    properties = ",".join(f"{key}={_property(value)}" for key, value in given.items())
    return f"::{annotation.level} {properties}::{_data(annotation.text)}"


def as_line(annotation: Annotation) -> str:
    """Return an annotation as compilers write it, for editors and CI services: `file:line:column: level:`."""
    place = [str(number) for number in (annotation.line, annotation.column) if number]
    text = "; ".join(annotation.text.splitlines())
    return f"{':'.join([annotation.file, *place])}: {annotation.level}: {annotation.title}: {text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _text(row: Row) -> str:
    lines = [*details(row), *(f"destroys {each}" for each in row.destroys)]
    kept = [each if len(each) <= _LENGTH else f"{each[:_LENGTH]}…" for each in lines[:_LINES]]
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    return "\n".join([*kept, *more]) or row.action


def _changed(row: Row, source: Document) -> tuple[int, int]:
    """Return where the first changed field is written at the app or its tenant, else where the app is."""
    app = _app(row.app or "")
    places = []
    for change in row.changes:
        path = _path(change.field, app)
        depth, line, column = _locate(path, source)
        if depth > len(app) or depth == len(path):
            places.append((line, column))
    return min(places) if places else _locate(app, source)[1:]


def _place(text: str, app: str | None, source: Document) -> tuple[int, int]:
    if found := re.match(rf"{re.escape(source.file)}:(\d+)(?::(\d+))?: ", text):
        return int(found[1]), int(found[2] or 0)
    _, line, column = _locate(_app(app), source) if app else (0, 1, 1)
    return line, column


def _without_place(text: str, file: str) -> str:
    return re.sub(rf"^{re.escape(file)}(:\d+){{0,2}}: ", "", text)


def _app(app: str) -> Path:
    tenant, _, name = app.partition("/")
    return ("tenants", tenant, "apps", name)


def _path(field: str, app: Path) -> Path:
    steps = tuple(field.split("."))
    return steps if field.startswith("tenants.") else (*app, *steps)


def _locate(path: Path, source: Document) -> tuple[int, int, int]:
    """Return how many steps of a path are written, and the line and column of the last of them."""
    known = _indexed(path, source)
    depth = source.locate(known).depth
    at = source.locate(known[:depth], key=True).at
    return depth, at.line, at.column


def _indexed(path: Path, source: Document) -> Path:
    """Put the place in its list for the name of an API key or a service, which a plan has by name."""
    node, known = source.root, []
    for step in path:
        found: str | int = step
        if isinstance(node, list):
            named = [
                index
                for index, each in enumerate(node)
                if each == step or (isinstance(each, dict) and each.get("name") == step)
            ]
            found = named[0] if named else step
        known.append(found)
        try:
            node = node[found]  # type: ignore[index]  # what cannot be indexed ends the path
        except (LookupError, TypeError):
            node = None
    return tuple(known)
