"""What a run over one stack tells at its end: which apps are ready, failed or deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tenantry.notifying.notification import Notification
from tenantry.running.events import by_app

if TYPE_CHECKING:
    from collections.abc import Collection

    from tenantry.running.events import Watch

_DOING: Final = {"create": "making", "update": "changing", "delete": "deleting"}


def notifications_of(
    watch: Watch, before: Collection[str], after: Collection[str], *, succeeded: bool
) -> list[Notification]:
    """Return what there is to tell of a run: nothing of an app that it did not touch.

    An app that was touched and did not fail is ready only where the run succeeded: else something of it may be left.

    :param before: ids of the apps that the stack held before it
    :param after: those that it holds now
    """
    at = datetime.now(UTC)
    done, failed = by_app(watch.took), by_app(watch.failed)
    found = []
    for app, works in failed.items():
        if app:
            first = works[0]
            # What the cloud or the database said is in the run's own output: it may be long, and quote anything.
            text = (
                f"{_DOING[first.operation]} {first.kind} {first.name} failed: see the run's output"
            )
            found.append(Notification("failed", app, text, at))
    found += [
        Notification("deleted", app, "a run let it go", at)
        for app in sorted({*before} - {*after} - failed.keys())
    ]
    if succeeded:
        found += [
            Notification("ready", app, "a run made or changed it", at)
            for app in done
            if app in after
        ]
    return found
