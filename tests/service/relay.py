"""A relay before the catalog's server that can refuse, cut, or swallow what is sent."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

Mode = Literal["pass", "refuse", "swallow"]


@dataclass
class Relay:
    """One that runs in a thread of its own."""

    host: str
    port: int
    mode: Mode = "pass"
    own_port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None

    def cut(self) -> None:
        """End all connections."""

        def close() -> None:
            for each in self._writers:
                each.close()
            self._writers.clear()

        assert self._loop is not None
        self._loop.call_soon_threadsafe(close)

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.own_port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        for each in self._writers:
            each.close()
        server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "refuse":
            writer.close()
            return
        there, back = await asyncio.open_connection(self.host, self.port)
        self._writers += [writer, back]
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while part := await source.read(65_536):
                # What is swallowed is acknowledged, as by a proxy whose other side is gone.
                if self.mode != "swallow":
                    target.write(part)
                    await target.drain()
        except OSError:
            pass
        finally:
            target.close()


@contextmanager
def relay(url: str) -> Iterator[tuple[Relay, str]]:
    """Give a relay to a server, and the URL that goes through it."""
    parts = urlsplit(url)
    made = Relay(parts.hostname or "", parts.port or 5432)
    started = threading.Event()
    stop: list[asyncio.Event] = []

    async def whole() -> None:
        stop.append(asyncio.Event())
        await made._serve(started, stop[0])

    thread = threading.Thread(target=lambda: asyncio.run(whole()))
    thread.start()
    try:
        assert started.wait(10)
        user = parts.netloc.rpartition("@")[0]
        through = parts._replace(netloc=f"{user}@127.0.0.1:{made.own_port}").geturl()
        yield made, through
    finally:
        assert made._loop is not None
        made._loop.call_soon_threadsafe(stop[0].set)
        thread.join(10)
