"""The first messages of PostgreSQL's protocol, version 3 ("Message Formats" in its documentation)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

SSL_REQUEST = 80877103
GSS_ENCRYPTION_REQUEST = 80877104
CANCEL_REQUEST = 80877102
TLS_HANDSHAKE = 0x16
"""The first byte of a TLS record that opens a handshake (RFC 8446, section 5.1)."""

HEADER_BYTES = 8
MAX_STARTUP_BYTES = 10_000
"""PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH)."""


class ProtocolError(Exception):
    """The client does not speak PostgreSQL's protocol."""


def parse_header(header: bytes) -> tuple[int, int]:
    """Return the length and the code of a startup-phase message from its first eight bytes."""
    length, code = struct.unpack("!II", header)
    if not HEADER_BYTES <= length <= MAX_STARTUP_BYTES:
        raise ProtocolError(f"a startup message of {length} bytes")
    return length, code


def parse_parameters(body: bytes) -> dict[str, str]:
    """Return the parameters of a StartupMessage from what follows its header."""
    parts = body.split(b"\0")
    names = parts[0:-1:2]
    return {
        name.decode(errors="replace"): value.decode(errors="replace")
        for name, value in zip(names, parts[1::2], strict=False)
        if name
    }


def startup_message(version: int, parameters: dict[str, str]) -> bytes:
    """Build a StartupMessage."""
    body = b"".join(part.encode() + b"\0" for item in parameters.items() for part in item)
    return struct.pack("!II", HEADER_BYTES + len(body) + 1, version) + body + b"\0"


def cancel_request(body: bytes) -> bytes:
    """Build a CancelRequest from the process id and key of the one received."""
    return struct.pack("!II", HEADER_BYTES + len(body), CANCEL_REQUEST) + body


def error_response(message: str, sqlstate: str) -> bytes:
    """Build a fatal ErrorResponse."""
    fields = f"SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0".encode()
    return _typed(_ERROR, fields)


QUERY, PARSE, BIND, EXECUTE = b"QPBE"
"""Kinds of a client's messages."""
READY_FOR_QUERY, COPY_IN, COPY_BOTH = b"ZGW"
"""Kinds of a server's messages: it has done what was asked; it waits for the client's data."""
NOTICE, NEGOTIATE_PROTOCOL_VERSION = b"Nv"
"""Kinds of a server's messages that may come before it asks who the client is."""
SASL_MECHANISMS, SASL_CONTINUE, SASL_FINAL = 10, 11, 12
"""What a server's Authentication message asks or tells."""
_ERROR, _AUTHENTICATION, _PASSWORD = b"ERp"
_TYPED_HEADER_BYTES = 5
_MAX_LOGIN_BYTES = 65_535
"""PostgreSQL's own limit (PG_MAX_SASL_MESSAGE_LENGTH is far below it)."""


class Message(bytes):
    """A whole message of one of the kinds that were asked for, with its header."""

    __slots__ = ()

    @property
    def kind(self) -> int:
        """Its first byte."""
        return self[0]

    def strings(self, count: int) -> list[str]:
        """Return the strings that it begins with; a message that has fewer is filled up with what it has."""
        parts = self[_TYPED_HEADER_BYTES:].split(b"\0", count)[:count]
        parts += [b""] * (count - len(parts))
        return [part.decode(errors="replace") for part in parts]


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Read one message of a login. Raises EOFError where there is none, ProtocolError for one that is too long."""
    header = await reader.readexactly(_TYPED_HEADER_BYTES)
    length = int.from_bytes(header[1:], "big")
    if not _TYPED_HEADER_BYTES - 1 <= length <= _MAX_LOGIN_BYTES:
        raise ProtocolError(f"a message of {length} bytes in a login")
    return Message(header + await reader.readexactly(length - _TYPED_HEADER_BYTES + 1))


def authentication(code: int, data: bytes) -> bytes:
    """Build an Authentication message."""
    return _typed(_AUTHENTICATION, struct.pack("!I", code) + data)


def authentication_data(message: Message, code: int) -> bytes | None:
    """Return what an Authentication message of this code carries; None for any other message."""
    start = message[_TYPED_HEADER_BYTES : _TYPED_HEADER_BYTES + 4]
    if message.kind != _AUTHENTICATION or start != struct.pack("!I", code):
        return None
    return message[_TYPED_HEADER_BYTES + 4 :]


def sasl_initial_response(mechanism: bytes, data: bytes) -> bytes:
    """Build a SASLInitialResponse."""
    return _typed(_PASSWORD, mechanism + b"\0" + struct.pack("!I", len(data)) + data)


def parse_sasl_initial_response(message: Message) -> tuple[bytes, bytes]:
    """Return the mechanism and the data of a SASLInitialResponse; empty ones for any other message."""
    mechanism, _, data = message[_TYPED_HEADER_BYTES:].partition(b"\0")
    return (mechanism, data[4:]) if message.kind == _PASSWORD else (b"", b"")


def sasl_response(data: bytes) -> bytes:
    """Build a SASLResponse."""
    return _typed(_PASSWORD, data)


def sasl_response_data(message: Message) -> bytes:
    """Return the data of a SASLResponse; nothing for any other message."""
    return message[_TYPED_HEADER_BYTES:] if message.kind == _PASSWORD else b""


def _typed(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + struct.pack("!I", 4 + len(body)) + body


class Messages:
    """Finds the messages in a stream after its startup phase, however it is cut into chunks."""

    def __init__(self) -> None:
        self._kept = b""
        self._to_pass = 0

    def feed(self, chunk: bytes, kinds: bytes = b"") -> list[bytes]:
        """Return what is new of the stream: a ``Message`` for each of these kinds, and runs of the rest.

        What is kept back is an unfinished header, or an unfinished message of one of the kinds.
        """
        stream = self._kept + chunk
        self._kept = b""
        parts: list[bytes] = []
        begin = 0
        at = min(self._to_pass, len(stream))
        self._to_pass -= at
        while at < len(stream):
            end = at + _TYPED_HEADER_BYTES
            if end <= len(stream):
                # The length counts itself and not the kind.
                end = at + 1 + int.from_bytes(stream[at + 1 : at + _TYPED_HEADER_BYTES], "big")
                wanted = stream[at] in kinds
                if wanted and end <= len(stream):
                    parts += [stream[begin:at], Message(stream[at:end])]
                    begin = end
                if not wanted:
                    self._to_pass = max(0, end - len(stream))
                    end = min(end, len(stream))
            if end > len(stream):
                self._kept = stream[at:]
                stream = stream[:at]
                break
            at = end
        parts.append(stream[begin:])
        return [part for part in parts if part]

    def rest(self) -> bytes:
        """Return what is kept back, and keep it no longer."""
        rest, self._kept = self._kept, b""
        return rest
