"""The problems of a registry's file, found one after the other and reported together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.registry.document import dotted
from tenantry.registry.problems import Problem

if TYPE_CHECKING:
    from tenantry.registry.document import Document, Path


class Faults:
    """The problems so far, and the paths that have one. What depends on such a path is not checked."""

    def __init__(self, source: Document) -> None:
        self.source = source
        self.problems = list(source.problems)
        self.bad = set(source.bad)
        self.above = {path[:n] for path in source.bad for n in range(1, len(path))}

    def add(self, path: Path, message: str, *, key: bool = False, missing: bool = False) -> None:
        """Record a problem at `path`: at its value, or its `key`, or where it is `missing`."""
        place = self.source.locate(path[:-1] if missing else path, key=key or missing)
        if place.origin:
            message += f" (the value is written at line {place.origin.line})"
        seen = path if missing else path[: place.depth]
        problem = Problem(self.source.file, place.at.line, place.at.column, dotted(seen), message)
        self.problems.append(problem)
        self.bad.add(seen)
        self.above.update(seen[:n] for n in range(1, len(seen)))

    def covers(self, path: Path) -> bool:
        """Whether `path`, something that it is part of, or a part of it has a problem."""
        return path in self.above or any(path[:n] in self.bad for n in range(1, len(path) + 1))
