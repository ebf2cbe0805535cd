"""The root of every failure that a user reads, and the mark of those that may pass by themselves."""

from __future__ import annotations

from typing import ClassVar, Final

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
