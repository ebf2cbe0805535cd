"""How each app's stack stands, as far as registry and history tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.tasks import Task

Word = Literal["applied", "changed", "new", "failed", "interrupted", "left"]
"""How an app's stack stands.

- `applied`: as the registry wants it
- `changed`: the registry, the program or the settings are not those of the last success, or somebody worked on the
  stack by other means
- `new`: there is no stack yet
- `failed`: its last run failed
- `interrupted`: a run was cut off, or is at work
- `left`: the app is not in the registry
"""


@dataclass(frozen=True)
class Standing:
    """One row of `tenantry fleet status`."""

    app: str
    stack: str
    standing: Word
    ended: datetime | None
    """When the last update of the stack did; None where there was none."""
    result: str
    """The engine's words for it: `update succeeded`."""
    actor: str = ""
    """Who was behind it; empty where that is not known."""

    def as_json(self) -> dict[str, object]:
        """Give the row as JSON."""
        return {
            "app": self.app,
            "stack": self.stack,
            "standing": self.standing,
            "ended": self.ended.isoformat() if self.ended else None,
            "result": self.result,
            "actor": self.actor,
        }

    def as_text(self) -> list[str]:
        """Give the row as the cells of a table."""
        ended = f"{self.ended:%Y-%m-%d %H:%M:%S}" if self.ended else "-"
        return [self.app, self.stack, self.standing, ended, self.result or "-", self.actor or "-"]


def standings(outlook: Outlook) -> list[Standing]:
    """Give each app's standing, in the registry's order; those that left come last."""
    applied = {task.app: _row(task, "applied") for task in outlook.unchanged}
    others = {task.app: _row(task, _word(task)) for task in (*outlook.tasks, *outlook.held)}
    rows = applied | others
    order = [
        *outlook.desired.inputs,
        *(task.app for task in (*outlook.tasks, *outlook.held) if not task.inputs),
    ]
    return [rows[app] for app in order if app in rows]


def _word(task: Task) -> Word:
    if task.purpose == "remove":
        return "left"
    if task.purpose == "create":
        return "new"
    if task.update is None or not task.update.settled:
        return "interrupted"
    return "changed" if task.update.result == "succeeded" else "failed"


def _row(task: Task, word: Word) -> Standing:
    update = task.update
    if update is None:
        return Standing(task.app, task.stack, word, None, "")
    return Standing(task.app, task.stack, word, update.ended, update.told, update.actor or "")
