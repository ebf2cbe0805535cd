"""Going on where another worker died: its engine's lock goes first, and no other one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.selfservice.claims import Engine
    from tenantry.states.locks import Lock
    from tenantry.states.store import Store

_SLACK: Final = timedelta(seconds=60)
"""By how much the clocks of the catalog's server and of a worker may differ."""


class StillThereError(TenantryError):
    """The engine of a worker that was lost is still at work."""

    may_pass = True


def free(store: Store, stack: str, engines: Sequence[Engine]) -> int:
    """Delete the locks that engines of lost workers left on a stack; return how many.

    Their leases are over, and an engine ends itself before that. On this machine it is seen whether it has; elsewhere
    that is what the lease is for. A lock counts as theirs by host, process and time. So a person's run that came in
    between keeps its lock.

    :param engines: those of the claims before this one
    :raises StillThereError: one is a process of this machine, and lives
    :raises TenantryError: the backend cannot be read, or does not tell its locks
    """
    if not engines:
        return 0
    count = 0
    for lock in store.locks():
        if lock.stack != stack or not any(_is_of(lock, engine) for engine in engines):
            continue
        if lock.owner == "alive":
            raise StillThereError(
                f"the engine of a lost worker (pid {lock.pid}) is still at work on this machine",
                place=stack,
                way_out="it ends by itself",
            )
        store.delete_lock(lock.key)
        count += 1
    return count


def _is_of(lock: Lock, engine: Engine) -> bool:
    # Processes of containers repeat their numbers; a lock from before the claim is another one's.
    return (
        (lock.host, lock.pid) == (engine.host, engine.pid)
        and lock.at is not None
        and lock.at >= engine.since - _SLACK
    )
