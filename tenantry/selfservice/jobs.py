"""The queue, as the service sees it. What queue it is, only `queue` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from tenantry.selfservice.database import Connection


class Jobs(Protocol):
    """Wakes a worker for an operation. A job holds the operation's id and nothing else."""

    async def put(
        self, connection: Connection, operation: UUID, *, key: str, priority: int = 0
    ) -> int:
        """Add a job in the connection's own transaction, and return its id.

        :param key: of jobs with the same one, only one at a time is under way
        :param priority: the higher one goes first
        """

    async def cancel(self, job: int) -> None:
        """Take a job away that has not begun."""

    async def open(self, connection: Connection, jobs: Collection[int]) -> set[int]:
        """Return those of these jobs that wait or are under way."""


async def wake(
    jobs: Jobs, connection: Connection, operation: UUID, *, key: str, priority: int = 0
) -> None:
    """Put a job for an operation into the queue, in the connection's transaction, and note which one it is."""
    from tenantry.selfservice.operations import note_job

    job = await jobs.put(connection, operation, key=key, priority=priority)
    await note_job(connection, operation, job)
