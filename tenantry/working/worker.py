"""A worker's process, from its begin to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from tenantry import __version__
from tenantry.clouds import asking
from tenantry.notifying.telling import Notifier
from tenantry.observing.counters import Counters, scraped
from tenantry.registry import load
from tenantry.running.engine import Engine
from tenantry.running.errors import BackendAwayError
from tenantry.running.stack import list_stacks
from tenantry.selfservice import database, queue_tables, workers
from tenantry.selfservice.claims import Worker
from tenantry.selfservice.queue import Queue
from tenantry.working.looking import look_chores
from tenantry.working.measuring import usage_chores
from tenantry.working.notices import notice_chores
from tenantry.working.renewing import LOST, LeaseLostError, Renewing
from tenantry.working.sign_ups import sign_up_chores
from tenantry.working.tending import Chore, tend, usual_chores
from tenantry.working.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tenantry.registry.models import Registry
    from tenantry.selfservice.database import Pool
    from tenantry.working.settings import WorkerSettings

    Chores = Callable[[Pool, Queue], Sequence[Chore]]

_log = logging.getLogger("tenantry.working")

_OPENING_ATTEMPTS: Final = 3
_ENDING_SECONDS: Final = 60.0
"""How long an engine that was stopped may take for its current steps."""


def prepare(settings: WorkerSettings, registry: Path) -> None:
    """Refuse to start where something is missing, before anything is asked for.

    :raises TenantryError: the registry is not valid, a variable that its `notify` names is not set, the engine is
        another's build, the catalog or the states cannot be used
    """
    from tenantry.catalog.migrating import migrate

    Notifier(load(registry).notify, settings.environment)
    Engine(settings.folder, settings.environment, lease=_NoLease())
    migrate(settings.catalog_url)
    database.check(settings.catalog_url)
    queue_tables.migrate(settings.catalog_url)
    _open_states(settings)


def _open_states(settings: WorkerSettings) -> None:
    """Have the engine make the table of its states, where there is none yet.

    Engines that make it at the same moment get in each other's way, and all but one fail.
    """
    for attempts_left in reversed(range(_OPENING_ATTEMPTS)):
        try:
            list_stacks(settings.environment, settings.folder)
        except BackendAwayError:
            if not attempts_left:
                raise
            time.sleep(1)
        else:
            return


class _NoLease:
    """Stands for a lease where it is only looked whether the engine knows one."""

    seconds = 1.0

    def begins(self, engine: object) -> None:
        """Nothing is begun."""


async def work(settings: WorkerSettings, registry: Path, more: Chores = lambda *_: ()) -> int:
    """Work until the process is asked to end (SIGTERM, SIGINT), and return its exit code.

    Then nothing new is begun, and what is in flight gets `finish_seconds`. What is not done by then, or at a second
    signal, is stopped after its current steps, and left to another worker.

    :param registry: the registry's file
    :param more: what else is done now and then
    :raises ObservingError: the address of the metrics cannot be listened at
    """
    counters = Counters("worker")
    with asking.listening(counters.asked), scraped(counters, settings.metrics):
        return await _work(settings, registry, more, counters)


async def _work(settings: WorkerSettings, registry: Path, more: Chores, counters: Counters) -> int:
    connections = database.pool(settings.catalog_url, most=settings.slots + 5)
    threads = ThreadPoolExecutor(settings.slots + 2, thread_name_prefix="operation")
    worker = Worker(settings.named(), socket.gethostname(), os.getpid(), settings.lease)
    await connections.open()
    try:
        async with database.connection(connections) as one:
            await workers.register(one, worker, slots=settings.slots, version=__version__)
        async with Queue(settings.catalog_url, stalled=settings.lease.seconds) as queue:
            own = Work(settings, worker, connections, threads, reader(registry), counters)
            chores = [
                *usual_chores(connections, queue),
                *sign_up_chores(connections, queue, settings.environment, own.registry),
                *notice_chores(connections, settings.environment, own.registry),
                *look_chores(settings, connections, threads, own.registry),
                *usage_chores(settings, connections, threads, own.registry),
                *more(connections, queue),
            ]
            return await _run(settings, worker, own, connections, queue, chores)
    finally:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(5), database.connection(connections) as one:
                await workers.stopped(one, worker.name)
        await connections.close(timeout=5)
        threads.shutdown(wait=False, cancel_futures=True)


async def _run(
    settings: WorkerSettings,
    worker: Worker,
    own: Work,
    connections: Pool,
    queue: Queue,
    tended: Sequence[Chore],
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = 0

    def asked_to_end() -> None:
        nonlocal signals
        signals += 1
        stop.set()
        if signals > 1:
            _put_down(own)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, asked_to_end)
    renewing = Renewing(worker, own, connections)
    renewing.watch()
    renew = asyncio.create_task(renewing.run())
    chores = asyncio.create_task(tend(tended))
    finish = settings.finish_seconds + _ENDING_SECONDS
    jobs = asyncio.create_task(
        queue.work(own.perform, name=worker.name, slots=settings.slots, finish_seconds=finish)
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([renew, jobs, stopping], return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            jobs.cancel()
            await _finish(settings, own, jobs, renew)
        for ended in (renew, jobs):
            if ended.done() and not ended.cancelled() and (error := ended.exception()):
                raise error
    except LeaseLostError as error:
        _log.critical("%s", error)
        return LOST
    else:
        return 0
    finally:
        for task in (renew, chores, jobs, stopping):
            task.cancel()
        await asyncio.wait([renew, chores, stopping], timeout=5)


async def _finish(
    settings: WorkerSettings, own: Work, jobs: asyncio.Task[None], renew: asyncio.Task[None]
) -> None:
    _log.info("ending: %d operations are under way", len(own.held))
    done, _ = await asyncio.wait(
        [jobs, renew], timeout=settings.finish_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    if not done:
        _log.warning("%d operations are left to another worker", len(own.held))
        _put_down(own)
        await asyncio.wait(
            [jobs, renew], timeout=_ENDING_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )


def _put_down(own: Work) -> None:
    for held in list(own.held.values()):
        held.put_down()


def reader(file: Path) -> Callable[[], Registry]:
    """Return what reads the registry, anew only where the file has changed.

    One that is not valid any more is an error at each call: nothing is done by a registry that nobody reviewed.
    """
    known: tuple[tuple[int, int], Registry] | None = None

    def read() -> Registry:
        nonlocal known
        stat = file.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        if known is None or known[0] != mark:
            known = (mark, load(file))
        return known[1]

    return read
