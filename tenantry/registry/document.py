"""A YAML file as plain values that remember where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from tenantry.errors import shown
from tenantry.registry.problems import Position
from tenantry.registry.scalars import EMPTY

if TYPE_CHECKING:
    from tenantry.registry.problems import Problem

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: keys of mappings and indexes of sequences, from the root."""
_NAME: Final = re.compile(r"[\w<-]{1,64}")


class Mark(Protocol):
    """A place as the parser tells it, counted from 0. It becomes a Position where a message names it."""

    @property
    def line(self) -> int:
        """The line, from 0."""

    @property
    def column(self) -> int:
        """The column in characters, from 0."""


def position(mark: Mark) -> Position:
    """Return a mark as people count."""
    return Position(mark.line + 1, mark.column + 1)


class Map(dict[str, object]):
    """A mapping with the positions of its keys and values, and which values an alias or `<<` brought."""

    __slots__ = ("at", "borrowed", "keys_at", "values_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.keys_at: dict[str, Mark] = {}
        self.values_at: dict[str, Mark] = {}
        self.borrowed: dict[str, Mark] = {}


class Seq(list[object]):
    """A sequence with the positions of its items, and which of them an alias brought."""

    __slots__ = ("at", "borrowed", "values_at")

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at
        self.values_at: list[Mark] = []
        self.borrowed: dict[int, Mark] = {}


class Place(NamedTuple):
    """Where a value stands. `depth`: how many steps of the path exist; `origin`: where an aliased value is written."""

    at: Position
    depth: int
    origin: Position | None


class Document(NamedTuple):
    """A file's content: `root` is its value; `problems` and `bad` are the faults found and the paths that have them."""

    file: str
    text: str
    root: object
    problems: tuple[Problem, ...]
    bad: frozenset[Path]

    def locate(self, path: Path, *, key: bool = False) -> Place:
        """Find the value at `path`, or as much of the path as there is; with `key`, its key instead.

        A value that came through an alias or a merge key stands where it is used.
        """
        node: Any = self.root
        at: Mark | None = getattr(node, "at", None)
        used_at: Mark | None = None
        depth = 0
        for depth, step in enumerate(path):
            if isinstance(node, Map) and isinstance(step, str) and step in node:
                by_key = (key and depth == len(path) - 1) or node[step] is EMPTY
                at = node.keys_at[step] if by_key else node.values_at[step]
            elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
                at = node.values_at[step]
            else:
                break
            if step in node.borrowed:
                used_at = used_at or at
                at = node.borrowed[step]
            node = node[step]
        else:
            depth = len(path)
        found = position(at) if at else Position(1, 1)
        return Place(position(used_at), depth, found) if used_at else Place(found, depth, None)

    def written(self, path: Path) -> str:
        """Return the plain scalar at `path` as the file has it, before it became a number (`5.10`)."""
        place = self.locate(path)
        line, column = place.origin or place.at
        lines = self.text.splitlines()
        match = (
            re.match(r"[^\s,\]}]+", lines[line - 1][column - 1 :]) if line <= len(lines) else None
        )
        return match[0] if match else ""


def dotted(path: Path) -> str:
    """Return a path as messages show it: `tenants.acme.apps.web.api_keys[0].name`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _NAME.fullmatch(step) else shown(step))
    return text
