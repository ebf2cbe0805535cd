"""The queue: Procrastinate, in the catalog's own database. Nothing else imports it.

Its jobs carry an operation's id. When one is due, how often it is tried and what became of it stands in the operation:
so a job never waits for its time (which would hold up later jobs of its key), and a lost queue loses nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import DeleteJobCondition, Notification
from procrastinate.worker import Worker

from tenantry.selfservice.database import parameters
from tenantry.selfservice.errors import AwayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from tenantry.selfservice.database import Connection

    Perform = Callable[[UUID], Awaitable[None]]

_QUEUE: Final = "operations"
_TASK: Final = "operation"
POLL_SECONDS: Final = 5
"""How often the queue is asked where no notification came."""


class Queue:
    """The jobs of one catalog. Open it (`async with`) before use."""

    def __init__(self, url: str, *, most: int = 5, stalled: float = 60.0) -> None:
        """Connect to nothing yet.

        :param url: a libpq URI of the catalog's direct host
        :param most: how many connections it makes at most
        :param stalled: seconds; a worker without a heartbeat for so long is taken for dead, as after its lease
        """
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url, kwargs=parameters("tenantry_jobs"), min_size=1, max_size=most
            )
        )
        self._stalled = stalled
        self._perform: Perform | None = None
        self._task = self._app.task(name=_TASK, queue=_QUEUE)(self._run)

    async def __aenter__(self) -> Self:
        """Open the connections."""
        try:
            await self._app.open_async()
        except ConnectorException:
            raise AwayError(
                "the queue's database does not answer",
                place="catalog",
                way_out="look whether it is up and reachable",
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._app.close_async()

    async def put(
        self, connection: Connection, operation: UUID, *, key: str, priority: int = 0
    ) -> int:
        """Add a job, as `Jobs.put` says."""
        try:
            return await self._task.configure(
                lock=key, priority=priority, connection=connection
            ).defer_async(operation=str(operation))
        except ConnectorException as error:
            raise AwayError(
                f"the queue's database does not answer ({type(error.__cause__).__name__})",
                place="catalog",
                way_out="look whether it is up and reachable",
            ) from None

    async def cancel(self, job: int) -> None:
        """Take a job away that has not begun."""
        await self._app.job_manager.cancel_job_by_id_async(job)

    async def open(self, connection: Connection, jobs: Collection[int]) -> set[int]:
        """Return those of these jobs that wait or are under way."""
        found = await connection.execute(
            "SELECT id FROM tenantry_jobs.procrastinate_jobs WHERE id = ANY(%s) AND status IN ('todo', 'doing')",
            (list(jobs),),
        )
        return {row["id"] for row in await found.fetchall()}

    async def reap(self) -> int:
        """Give jobs of dead workers back to the queue; return how many."""
        count = 0
        for job in await self._app.job_manager.get_stalled_jobs(
            seconds_since_heartbeat=self._stalled
        ):
            try:
                await self._app.job_manager.retry_job(job)
            except ConnectorException:
                # Another worker was faster, or its own worker ended it after all.
                continue
            count += 1
        return count

    async def work(self, perform: Perform, *, name: str, slots: int, finish_seconds: float) -> None:
        """Work jobs off until this is cancelled; then what is under way gets some time to end.

        :param perform: does one operation; an exception from it loses the job and not the operation (`due`)
        :param slots: how many at once
        :param finish_seconds: how long what is under way may take when it is to end; then it is cancelled
        """
        self._perform = perform
        worker = _Worker(
            self._app,
            queues=[_QUEUE],
            name=name,
            concurrency=slots,
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=self._stalled / 6,
            stalled_worker_timeout=self._stalled,
            shutdown_graceful_timeout=finish_seconds,
            install_signal_handlers=False,
            delete_jobs=DeleteJobCondition.ALWAYS,
        )
        await worker.run()  # type: ignore[no-untyped-call]  # the library's

    async def _run(self, operation: str) -> None:
        assert self._perform is not None  # noqa: S101 only `work` runs jobs
        await self._perform(UUID(operation))


class _Worker(Worker):
    """Hears of a job also while it asks the queue.

    The library's worker (3.10) forgets what it hears between its question and the answer, so that such a job waits for
    the next look (`POLL_SECONDS`).
    """

    _heard = 0

    async def _handle_notification(self, *, channel: str, notification: Notification) -> None:
        self._heard += 1
        await super()._handle_notification(channel=channel, notification=notification)

    async def _fetch_and_process_jobs(self) -> None:
        before = -1
        while before != self._heard and not self._stop_event.is_set():
            before = self._heard
            await super()._fetch_and_process_jobs()  # type: ignore[no-untyped-call]  # the library's
