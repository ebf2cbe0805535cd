"""A worker beside the API: a process of its own, so that an engine's work does not keep requests waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from typing import TYPE_CHECKING, Final, Self

from tenantry.catalog.location import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.service.settings import Settings

_log: Final = logging.getLogger("tenantry.service")
_AGAIN_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 30.0
ENDING_SECONDS: Final = 90.0
"""What a worker may take beyond its time to end its engines."""


class Beside:
    """`tenantry work` for as long as the API serves (`async with`); started again where it ends by itself."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], *, as_json: bool
    ) -> None:
        """Start nothing yet.

        :param as_json: whether it logs one object a line, as the API then does
        """
        self._as_json = as_json
        self._settings = settings
        self._environment = {**environment, VARIABLE: settings.catalog}
        self._process: asyncio.subprocess.Process | None = None
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        self._task = asyncio.create_task(self._keep(), name="worker beside")
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it: what it has begun gets as long as the API's requests, and is left to another worker then."""
        self._ending = True
        self._signal(signal.SIGTERM)
        if self._task is None:
            return
        seconds = self._settings.stop + ENDING_SECONDS
        done = (await asyncio.wait([self._task], timeout=seconds))[0]
        if not done:
            self._signal(signal.SIGKILL)
            await asyncio.wait([self._task], timeout=5)
        self._task.cancel()

    async def _keep(self) -> None:
        pause = _AGAIN_SECONDS
        while not self._ending:
            begun = asyncio.get_running_loop().time()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tenantry", "work"),
                *("--slots", str(self._settings.workers)),
                *("--finish", f"{max(1, self._settings.stop)}s"),
                *self._metrics(),
                *(("--json",) if self._as_json else ()),
                stdin=asyncio.subprocess.DEVNULL,
                cwd=self._settings.folder,
                env=self._environment,
            )
            if self._ending:
                self._signal(signal.SIGTERM)
            code = await self._process.wait()
            if self._ending:
                return
            if asyncio.get_running_loop().time() - begun > _MOST_SECONDS:
                pause = _AGAIN_SECONDS
            # With 0 somebody has asked it to end, such as a terminal that tells all its processes.
            level = logging.ERROR if code else logging.INFO
            _log.log(level, "the worker ended with %d: started again in %d s", code, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _MOST_SECONDS)

    def _metrics(self) -> tuple[str, ...]:
        if self._settings.worker_metrics is None:
            return ()
        host, port = self._settings.worker_metrics
        return "--metrics", f"{host}:{port}"

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(which)
