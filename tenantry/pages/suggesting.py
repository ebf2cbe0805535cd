"""What to run next for an app, and why. Pure: the commands are those of `docs/commands.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.pages.rows import Row, Status


@dataclass(frozen=True)
class Suggestion:
    """A command."""

    why: str
    command: str


_AGAIN: Final = "tenantry fleet up --only {}"
_NEXT: Final[Mapping[Status, tuple[tuple[str, str], ...]]] = {
    "failed": (
        ("See why the last run failed, by running it again", _AGAIN),
        ("See what disagrees", "tenantry doctor"),
    ),
    "interrupted": (
        ("See whether a run is at work, or was cut off", "tenantry doctor"),
        ("Let it go on", _AGAIN),
    ),
    "changed": (
        ("See what the registry would change", "tenantry fleet plan --only {}"),
        ("Apply it", _AGAIN),
    ),
    "new": (
        ("See what would be made", "tenantry fleet plan --only {}"),
        ("Make it", _AGAIN),
    ),
    "elsewhere": (
        ("See what the registry would change", "tenantry plan"),
        ("Apply it in the stack that holds it", "tenantry up"),
        (
            "See what each app in a stack of its own would take",
            "tenantry fleet split --from STACK --dry-run",
        ),
    ),
    "left": (
        ("See what would be lost", "tenantry fleet plan --only {}"),
        ("Let it go", _AGAIN),
    ),
}
_ALWAYS: Final = (("See everything that is known of it", "tenantry show {}"),)

_OF_THE_FILE: Final = (
    ("Give it another login", "tenantry rotate {} --write"),
    ("Give it another API key", "tenantry keys rotate {} KEY --write"),
)


def suggestions(row: Row) -> list[Suggestion]:
    """Return commands, the most useful first."""
    thaw = [("Let runs touch it again", "tenantry thaw {}")] if row.frozen else []
    # An app that was asked for and failed is tried again by its operation.
    chosen = () if row.row and row.status == "failed" else _NEXT.get(row.status, ())
    filed = _OF_THE_FILE if row.row is None and row.status == "applied" else ()
    every = (*thaw, *chosen, *_ALWAYS, *filed)
    return [Suggestion(why, command.format(row.app)) for why, command in every]
