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


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ` (did you mean "…"?)` for the choice that `word` resembles most, else an empty string."""
    # Imported here: only a faulty registry pays for it.
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in choices}
    begun = [choice for choice in by_lower if len(word) > 2 and choice.startswith(word.lower())]  # noqa: PLR2004
    close = begun or get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f' (did you mean "{by_lower[close[0]]}"?)' if close else ""


def shown(value: object) -> str:
    """Return a value as a message shows it: text in quotes, on one line; cut to 60 characters."""
    match value:
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            # isprintable keeps letters of every script and drops controls and line breaks.
            text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value[:60])
            return f'"{text}…"' if len(value) > len(value[:60]) else f'"{text}"'
        case _:
            text = str(value)
            return f"{text[:60]}…" if len(text) > len(text[:60]) else text
