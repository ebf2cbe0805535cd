"""The first messages of PostgreSQL's protocol, version 3 ("Message Formats" in its documentation)."""

from __future__ import annotations

import struct

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
    return b"E" + struct.pack("!I", 4 + len(fields)) + fields
