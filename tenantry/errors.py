"""The root of every failure that a user reads, the mark of those that may pass, and how messages show a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK: Final = " [may pass by itself]"
"""Also written by our plugins: `toolchain/internal/passing`."""


class TenantryError(Exception):
    """A failure that a user reads: where, what, and what to do. A line for each fault, no secret."""

    may_pass: ClassVar[bool] = False
    """Whether the same attempt may succeed a little later, without anybody's help."""

    def __init__(self, reason: str, *, place: str = "", way_out: str = "") -> None:
        """Say what failed.

        :param reason: what is wrong; or the whole text, where its parts are not known apart
        :param place: the file, app, stack or request that it is about
        :param way_out: what to do
        """
        super().__init__(reason)
        self.place = place
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        """Join the parts: `place: reason: way out`."""
        return ": ".join(part for part in (self.place, self.reason, self.way_out) if part)


def marked(error: TenantryError) -> str:
    """Return a failure's text for a way on which its class is lost, such as through the engine."""
    return f"{error}{_MARK}" if error.may_pass else str(error)


def unmarked(text: str) -> tuple[str, bool]:
    """Return a text without the mark, and whether all that it tells of may pass by itself.

    A plugin's list of errors (`* …`) may pass where each of them may.
    """
    entries = text.count("\n\t* ")
    return text.replace(_MARK, ""), text.count(_MARK) >= max(entries, 1)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ` (did you mean "…"?)` for the choice that `word` resembles most, else an empty string."""
    # Imported here: only a failure pays for it.
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in choices}
    begun = [choice for choice in by_lower if len(word) > 2 and choice.startswith(word.lower())]  # noqa: PLR2004
    close = begun or get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f' (did you mean "{by_lower[close[0]]}"?)' if close else ""


def counted(number: int, noun: str) -> str:
    """Return `1 app` or `2 apps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
