"""What somebody asked to be looked at: the clouds for drift, the registry for a plan. One of each at a time.

The last answer of each is kept in this process.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tenantry.pages.own_commands import OwnCommands

Kind = Literal["drift", "plan"]
MOST_PLANNED: Final = 20
"""Apps of one plan: each takes an engine a second or more."""
_SECONDS: Final = 600.0
_COMMANDS: Final[dict[Kind, tuple[str, ...]]] = {
    "drift": ("fleet", "drift"),
    "plan": ("fleet", "plan"),
}
_FINE: Final[dict[Kind, tuple[int, ...]]] = {"drift": (0, 3), "plan": (0, 2)}
"""The exit codes of an answer: 3 something differs, 2 there is something to do."""
_log: Final = logging.getLogger("tenantry.pages")


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look, and what was found."""

    begun: datetime
    actor: str
    apps: tuple[str, ...] = ()
    """What it is about; empty for all."""
    ended: datetime | None = None
    """None while it is under way."""
    found: Any = None
    """The command's document (`drift.schema.json`, `plan.schema.json`); None where there is none."""
    failure: str = ""
    """Why there is none."""


class Looks:
    """The last look of each kind."""

    def __init__(self, commands: OwnCommands) -> None:
        """Look at nothing yet."""
        self._commands = commands
        self._last: dict[Kind, Look] = {}
        self._answered: dict[Kind, Look] = {}
        self._tasks: dict[Kind, asyncio.Task[None]] = {}

    def last(self, kind: Kind) -> Look | None:
        """Return the look that was asked for last, which may be under way."""
        return self._last.get(kind)

    def answered(self, kind: Kind) -> Look | None:
        """Return the last look that found an answer."""
        return self._answered.get(kind)

    def drifting(self) -> frozenset[str]:
        """Return the apps of which the last look found something that differs."""
        look = self._answered.get("drift")
        found = look.found["differences"] if look else ()
        return frozenset(each["app"] for each in found if each["app"])

    def found_of(self, app: str) -> list[str]:
        """Return what the last look found that differs of an app, in a line each."""
        look = self._answered.get("drift")
        every = look.found["differences"] if look else ()
        return [told_difference(each) for each in every if each["app"] == app]

    def begin(self, kind: Kind, actor: str, apps: Sequence[str] = ()) -> bool:
        """Begin to look; False where one of this kind is under way.

        :param apps: what it is about; none for all
        """
        if (task := self._tasks.get(kind)) and not task.done():
            return False
        look = Look(begun=datetime.now(UTC), actor=actor, apps=tuple(apps))
        self._last[kind] = look
        self._tasks[kind] = asyncio.create_task(self._look(kind, look), name=f"looking: {kind}")
        return True

    async def close(self) -> None:
        """Stop what is under way."""
        for each in self._tasks.values():
            each.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look(self, kind: Kind, look: Look) -> None:
        only = [part for app in look.apps for part in ("--only", app)]
        try:
            answer = await self._commands.answer(
                *_COMMANDS[kind], *only, seconds=_SECONDS, fine=_FINE[kind]
            )
        except TenantryError as error:
            _log.warning("%s", error)
            self._last[kind] = replace(look, ended=datetime.now(UTC), failure=str(error))
            return
        done = replace(look, ended=datetime.now(UTC), found=answer.found)
        self._last[kind] = self._answered[kind] = done


def told_difference(found: Mapping[str, Any]) -> str:
    """Return a difference of `drift.schema.json` on one line."""
    what = f"{found['kind']} {found['name']}"
    if found["gone"]:
        return f"{what} is gone"
    changes = (
        f"{each['name']}: {each['old'] or 'nothing'} → {each['new'] or 'nothing'}"
        for each in found["properties"]
    )
    return f"{what}: {'; '.join(changes) or 'differs'}"
