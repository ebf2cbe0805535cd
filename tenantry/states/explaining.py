"""What is wrong with a state that the engine could not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.errors import TenantryError
from tenantry.running.settings import project_name
from tenantry.states.errors import CutOffError
from tenantry.states.store import open_store

if TYPE_CHECKING:
    from tenantry.running.errors import UnreadableStateError


def explain(error: UnreadableStateError) -> str:
    """Say which state was cut off, and which copy of it is whole; the engine's failure where that is not told."""
    try:
        store = open_store(error.environment, project_name(error.folder), error.folder)
        # Through the engine the answer would be the same again.
        for stack in sorted(store.stacks()) if store.tells_locks else ():
            store.state(stack)
    except CutOffError as found:
        return str(found)
    except TenantryError:
        pass
    return str(error)
