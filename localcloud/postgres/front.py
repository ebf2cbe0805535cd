"""The TLS front: one listener per loopback address, in front of one server's socket.

It ends TLS, has the server started if it sleeps, helps with the login, and passes bytes on. Sessions are not
multiplexed: the pooled address is a second listener in front of the same server.
"""

from __future__ import annotations

import asyncio
import contextlib
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
    from collections.abc import Iterable, Iterator

    from localcloud.faults.sessions import SessionFaults
    from localcloud.postgres.certificates import Certificate
    from localcloud.postgres.channel_binding import Verifiers

_STARTUP_SECONDS = 60.0
_GOODBYE_SECONDS = 1.0
_CHUNK = 65536
_CANNOT_CONNECT_NOW = "57P03"
_log = logging.getLogger("localcloud.front")


@dataclass(frozen=True, slots=True)
class Admission:
    """Where an admitted connection goes, and startup parameters that it gets unless it sets them itself."""

    socket: str
    defaults: dict[str, str]


class Gate(Protocol):
    """What stands behind a listener."""

    verifiers: Verifiers

    async def certificate(self) -> Certificate:
        """Return what clients of its own addresses are shown."""

    def session_faults(self, host: str) -> SessionFaults:
        """Return what orders do to a session that comes by this host."""

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


class Entrance(Protocol):
    """What a listener asks for the way."""

    async def certificate(self) -> Certificate:
        """Return what clients are shown."""

    def lead(self, server_name: str | None, parameters: dict[str, str]) -> tuple[Gate, str]:
        """Return whose client it is, and by which host it came.

        ``server_name`` is what it asked for in its TLS handshake; what ``parameters`` say to the front is taken out of
        them. Raises RefusedError.
        """

    def gates(self) -> Iterable[Gate]:
        """Return all to which it may lead."""


@dataclass(frozen=True, slots=True)
class Door:
    """The entrance at an address that is one gate's own."""

    gate: Gate
    address: str

    async def certificate(self) -> Certificate:
        """See :class:`Entrance`."""
        return await self.gate.certificate()

    def lead(self, _server_name: str | None, _parameters: dict[str, str]) -> tuple[Gate, str]:
        """See :class:`Entrance`."""
        return self.gate, self.address

    def gates(self) -> Iterable[Gate]:
        """See :class:`Entrance`."""
        return (self.gate,)


class Session:
    """One client's connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def cut(self) -> None:
        """End it now."""
        self._writer.transport.abort()


class Listener:
    """Accepts connections on one address for as long as it is open."""

    def __init__(self, listener: socket.socket, entrance: Entrance) -> None:
        self._listener = listener
        self._entrance = entrance
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
                certificate = await self._entrance.certificate()
                reader, writer = await _open_tls(client, certificate.context)
        except (OSError, EOFError, TimeoutError, wire.ProtocolError) as error:
            _log.debug("connection given up: %s", error)
            client.close()
            return
        except asyncio.CancelledError:
            client.close()
            raise
        try:
            await self._session(reader, writer, certificate)
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
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, certificate: Certificate
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
        parameters = wire.parse_parameters(body)
        server_name = certificate.asked.get(writer.get_extra_info("ssl_object"))
        try:
            gate, host = self._entrance.lead(server_name, parameters)
            faults = gate.session_faults(host)
            late = await faults.connecting()
            async with asyncio.timeout(_STARTUP_SECONDS):
                admission = await gate.admit()
                server_reader, server_writer = await asyncio.open_unix_connection(admission.socket)
        except CutError:
            writer.transport.abort()
            return
        except (RefusedError, ClusterError, OSError, TimeoutError) as error:
            await _refuse(writer, error)
            return
        session = Session(writer)
        gate.entered(session)
        try:
            if late is not None:
                await faults.connected(late)
            parameters = admission.defaults | parameters
            server_writer.write(wire.startup_message(code, parameters))
            client, server = (reader, writer), (server_reader, server_writer)
            async with asyncio.timeout(_STARTUP_SECONDS):
                role = parameters.get("user", "")
                await authenticate(client, server, role, certificate.binding, gate.verifiers)
            await _Relay(gate, session, faults).run(*client, *server)
        except CutError:
            session.cut()
        except (RefusedError, ClusterError) as error:
            await _refuse(writer, error)
        except (OSError, EOFError, TimeoutError, wire.ProtocolError) as error:
            _log.debug("connection given up: %s", error)
        finally:
            server_writer.close()
            gate.left(session)

    async def _cancel(self, body: bytes) -> None:
        # It names no host. A server that does not know its key does nothing.
        paths = (gate.socket_if_running() for gate in self._entrance.gates())
        for path in [path for path in paths if path is not None]:
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
