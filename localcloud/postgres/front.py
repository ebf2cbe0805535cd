"""The TLS front: one listener per loopback address, in front of one server's socket.

It ends TLS, has the server started if it sleeps, helps with the login, and passes bytes on. Sessions are not
multiplexed: the pooled address is a second listener in front of the same server.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ipaddress
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from localcloud.faults.sessions import CutError
from localcloud.postgres import wire
from localcloud.postgres.channel_binding import authenticate
from localcloud.postgres.cluster import ClusterError
from localcloud.postgres.refusal import REJECTED, RefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Iterator

    from localcloud.faults.sessions import SessionFaults
    from localcloud.postgres.certificates import Certificate
    from localcloud.postgres.channel_binding import Verifiers

PORT = 5432
_STARTUP_SECONDS = 60.0
_GOODBYE_SECONDS = 1.0
_CHUNK = 65536
_BACKLOG = 128
_CANNOT_CONNECT_NOW = "57P03"
_ATTEMPTS = 64
_log = logging.getLogger("localcloud.front")


class AddressError(Exception):
    """An address cannot be listened on; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Where an admitted connection goes, and startup parameters that it gets unless it sets them itself."""

    socket: str
    defaults: dict[str, str]


class Gate(Protocol):
    """What stands behind a listener."""

    verifiers: Verifiers

    async def certificate(self) -> Certificate:
        """Return what clients are shown."""

    async def admit(self) -> Admission:
        """Have the server running. Raises RefusedError."""

    def socket_if_running(self) -> str | None:
        """Return the server's socket, without starting it."""

    def entered(self, session: Session) -> None:
        """Note that a session begins."""

    def active(self) -> None:
        """Note that bytes pass."""

    def left(self, session: Session) -> None:
        """Note that a session has ended."""


class Session:
    """One client's connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def cut(self) -> None:
        """End it now."""
        self._writer.transport.abort()


def bind(address: str) -> socket.socket:
    """Return a listening socket on the address at PostgreSQL's port. Raises AddressError."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, PORT))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise AddressError(
            f"{address}:{PORT}: cannot listen ({error.strerror}); end the program that does, "
            "which may be one that listens on 0.0.0.0"
        ) from error
    return listener


def claim(seed: str, name: str, taken: Collection[str]) -> tuple[str, socket.socket]:
    """Choose a loopback address for a name and listen on it.

    The choice follows from seed and name, so that two clouds on one machine seldom try the same; an address that is taken
    makes it go on to the next choice. Raises AddressError when none is free.
    """
    last: AddressError | None = None
    for attempt in range(_ATTEMPTS):
        digest = hashlib.sha256(f"{seed}/{name}/{attempt}".encode()).digest()
        # 127.64.0.0/10: away from 127.0.0.1 and from the few low addresses that programs give themselves.
        number = int.from_bytes(digest[:4], "big") % (1 << 22)
        address = str(ipaddress.IPv4Address((127 << 24) + (64 << 16) + number))
        if address in taken or address.endswith((".0", ".255")):
            continue
        try:
            return address, bind(address)
        except AddressError as error:
            last = error
    raise last or AddressError(f"no free loopback address for {name}")


class Listener:
    """Accepts connections on one address for as long as it is open. ``faults`` makes what a session's orders need."""

    def __init__(
        self,
        listener: socket.socket,
        gate: Gate,
        faults: Callable[[], SessionFaults],
    ) -> None:
        self._listener = listener
        self._gate = gate
        self._faults = faults
        self._sessions: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Stop accepting and end what goes through."""
        tasks = [self._accepting, *self._sessions]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                # Out of descriptors, or the client is gone already: neither ends the listener.
                _log.warning("accept: %s", error.strerror)
                await asyncio.sleep(0.1)
                continue
            task = asyncio.create_task(self._serve(client))
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)

    async def _serve(self, client: socket.socket) -> None:
        try:
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(_STARTUP_SECONDS):
                secure = await self._negotiate(client)
            if not secure:
                client.close()
                return
            async with asyncio.timeout(_STARTUP_SECONDS):
                certificate = await self._gate.certificate()
                reader, writer = await _open_tls(client, certificate.context)
        except (OSError, EOFError, TimeoutError, wire.ProtocolError) as error:
            _log.debug("connection given up: %s", error)
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        try:
            await self._session(reader, writer, certificate.binding)
            # TLS ends with a message of its own (close_notify), which clients miss if it does not come.
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    writer.close()
                    await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _negotiate(self, client: socket.socket) -> bool:
        """Read up to the point where TLS begins; False if the conversation is over."""
        loop = asyncio.get_running_loop()
        while True:
            await _readable(client)
            first = client.recv(1, socket.MSG_PEEK)
            if not first:
                return False
            if first[0] == wire.TLS_HANDSHAKE:
                return True
            length, code = wire.parse_header(await _receive(client, wire.HEADER_BYTES))
            if code == wire.SSL_REQUEST:
                await loop.sock_sendall(client, b"S")
                return True
            if code == wire.GSS_ENCRYPTION_REQUEST:
                await loop.sock_sendall(client, b"N")
                continue
            body = await _receive(client, length - wire.HEADER_BYTES)
            if code == wire.CANCEL_REQUEST:
                await self._cancel(body)
                return False
            # Neon's words for a client that does not ask for TLS.
            await loop.sock_sendall(
                client,
                wire.error_response(
                    "connection is insecure (try using `sslmode=require`)", REJECTED
                ),
            )
            return False

    async def _session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, binding: bytes
    ) -> None:
        try:
            async with asyncio.timeout(_STARTUP_SECONDS):
                length, code = wire.parse_header(await reader.readexactly(wire.HEADER_BYTES))
                body = await reader.readexactly(length - wire.HEADER_BYTES)
        except (OSError, EOFError, TimeoutError, wire.ProtocolError) as error:
            _log.debug("connection given up: %s", error)
            return
        if code == wire.CANCEL_REQUEST:
            await self._cancel(body)
            return
        faults = self._faults()
        try:
            late = await faults.connecting()
            async with asyncio.timeout(_STARTUP_SECONDS):
                admission = await self._gate.admit()
                server_reader, server_writer = await asyncio.open_unix_connection(admission.socket)
        except CutError:
            writer.transport.abort()
            return
        except (RefusedError, ClusterError, OSError, TimeoutError) as error:
            await _refuse(writer, error)
            return
        session = Session(writer)
        self._gate.entered(session)
        try:
            if late is not None:
                await faults.connected(late)
            parameters = admission.defaults | wire.parse_parameters(body)
            server_writer.write(wire.startup_message(code, parameters))
            client, server = (reader, writer), (server_reader, server_writer)
            async with asyncio.timeout(_STARTUP_SECONDS):
                await authenticate(
                    client, server, parameters.get("user", ""), binding, self._gate.verifiers
                )
            await _Relay(self._gate, session, faults).run(*client, *server)
        except CutError:
            session.cut()
        except (RefusedError, ClusterError) as error:
            await _refuse(writer, error)
        except (OSError, EOFError, TimeoutError, wire.ProtocolError) as error:
            _log.debug("connection given up: %s", error)
        finally:
            server_writer.close()
            self._gate.left(session)

    async def _cancel(self, body: bytes) -> None:
        path = self._gate.socket_if_running()
        if path is None:
            return
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(wire.cancel_request(body))
            # The server closes without a word once it has passed the request on.
            await reader.read()
            writer.close()
            await writer.wait_closed()


class _Relay:
    """Passes bytes between a client and a server, both ways, until one of them has said its last word."""

    def __init__(self, gate: Gate, session: Session, faults: SessionFaults) -> None:
        self._gate = gate
        self._session = session
        self._faults = faults

    async def run(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        upward = asyncio.create_task(self._upward(reader, server_writer))
        downward = asyncio.create_task(self._downward(server_reader, writer))
        try:
            done, _ = await asyncio.wait((upward, downward), return_when=asyncio.FIRST_COMPLETED)
            if downward in done:
                # The server has said its last word: see that the client gets it.
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_GOODBYE_SECONDS):
                        writer.close()
                        await writer.wait_closed()
        finally:
            for task in (upward, downward):
                task.cancel()
            await asyncio.gather(upward, downward, return_exceptions=True)

    async def _upward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with self._ending():
            while chunk := await source.read(_CHUNK):
                self._gate.active()
                await self._faults.upward(chunk, sink.write)
                await sink.drain()

    async def _downward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with self._ending():
            while chunk := await source.read(_CHUNK):
                self._gate.active()
                sink.write(await self._faults.downward(chunk))
                await sink.drain()

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """End one way: a side that is gone ends it, and an order that cuts the client off."""
        try:
            yield
        except CutError:
            self._session.cut()
        except OSError:
            pass


async def _refuse(writer: asyncio.StreamWriter, error: Exception) -> None:
    message = str(error) or "the server did not start in time"
    _log.warning("connection refused: %s", message)
    sqlstate = error.sqlstate if isinstance(error, RefusedError) else _CANNOT_CONNECT_NOW
    with contextlib.suppress(OSError):
        writer.write(wire.error_response(message, sqlstate))
        await writer.drain()


async def _open_tls(
    client: socket.socket, tls: ssl.SSLContext
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # The handshake starts on the bare socket, so nothing that was sent before it can be taken for data inside it.
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=tls)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _readable(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def set_ready() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(client, set_ready)
    try:
        await ready
    finally:
        loop.remove_reader(client)


async def _receive(client: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < count:
        chunk = await loop.sock_recv(client, count - len(received))
        if not chunk:
            raise EOFError("the client went away")
        received += chunk
    return received
