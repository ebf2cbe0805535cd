"""Neon's own host, led to a local API: for programs that cannot be told where the API is.

A proxy on loopback tunnels that one host to itself and ends TLS with a throw-away authority's certificate. It answers
403 for every other host, so that a run can never reach the real cloud.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST: Final = "console.neon.tech"
_CHUNK: Final = 65536
# It warns at each connection whose client ends TLS before TCP, as clients do.
logging.getLogger("asyncio").setLevel(logging.ERROR)


@contextmanager
def console(api_url: str, folder: Path) -> Iterator[dict[str, str]]:
    """Lead Neon's host to the API at this address for the length of a block.

    Gives the variables by which programs take that way. The authority's certificate is written into the folder.
    """
    authority = trustme.CA()
    ca_file = folder / "console.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    proxy = _Proxy(urlsplit(api_url).netloc, context)
    proxy.start()
    try:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(ca_file)}
    finally:
        proxy.end()


class _Proxy(threading.Thread):
    """Serves in a loop of its own: the measurement waits for a process meanwhile."""

    def __init__(self, api: str, context: ssl.SSLContext) -> None:
        super().__init__(daemon=True)
        self._host, _, port = api.partition(":")
        self._port = int(port)
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    def run(self) -> None:
        self._loop.run_forever()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if not request.startswith(f"CONNECT {HOST}:443 "):
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                await writer.start_tls(self._context)
                from_api, to_api = await asyncio.open_connection(self._host, self._port)
                await asyncio.gather(_pass_on(reader, to_api), _pass_on(from_api, writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
