"""What is wrong with a registry: one line for each problem, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Position(NamedTuple):
    """A place in a text file. Both numbers start at 1; columns count characters, not bytes."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault: where it stands, which value it concerns, what is wrong and what is allowed.

    `line` and `column` start at 1. Both are 0 where the whole file is the problem, such as one that does not exist.
    `path` is the value's place in the registry (`tenants.acme.apps.web.region`). It is empty where there is none yet,
    as in a file that is not YAML. `message` is one line.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (where, self.path, self.message) if part)


class RegistryError(TenantryError):
    """A registry that was refused. `problems` holds every fault found, by position in the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
