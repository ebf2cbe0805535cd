"""What a run over a fleet tells at its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tenantry.notifying.notification import Notification
from tenantry.notifying.run_end import tell_all
from tenantry.registry import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenantry.fleet.events import Outcome, Summary
    from tenantry.fleet.project import Project
    from tenantry.registry.notices import Occasion

_OCCASIONS: Final[dict[Outcome, tuple[Occasion, str]]] = {
    "applied": ("ready", "a run made or changed it"),
    "removed": ("deleted", "a run let it go"),
    "given up": ("deleted", "a run gave it up: what it has in the clouds stays"),
    "failed": ("failed", ""),
    "busy": ("failed", ""),
}
"""How an app ended, and what is told of that; nothing of an app that a run stopped before."""


def tell_end(project: Project, summary: Summary, say: Callable[[str], None]) -> None:
    """Tell those whom the registry's `notify` names how the apps of a run ended. Nothing is raised for a receiver.

    :raises RegistryError: the registry is not valid any more
    """
    at = datetime.now(UTC)
    told = [
        Notification(kind, each.app, text or each.reason, at)
        for each in summary.results
        for kind, text in [_OCCASIONS.get(each.outcome, (None, ""))]
        if kind
    ]
    if told:
        receivers = load(project.folder / project.registry).notify
        tell_all(receivers, project.environment, told, say)
