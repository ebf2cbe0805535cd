"""How the operations that a request begins are to end, where an order says so."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Ordered:
    """``action``: which operations, ``*`` for all. ``reason``: why they fail; None if they never end.

    ``released`` waits until the order is taken back, and says whether the operation then goes on.
    """

    action: str
    reason: str | None
    released: Callable[[], Awaitable[bool]]

    def concerns(self, action: str) -> bool:
        """Whether an operation with this action is meant."""
        return self.action in {"*", action}


ORDERED: ContextVar[Ordered | None] = ContextVar("ORDERED", default=None)
"""What is ordered for the request that is being answered."""
