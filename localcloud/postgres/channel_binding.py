"""Logins bound to the TLS connection (SCRAM-SHA-256-PLUS), in front of a server that sees no TLS.

The client signs the certificate that it was shown; the server, behind the front, knows of none and would not accept
that. So the front checks the client's proof with the role's keys, as Neon's proxy does, and signs in the client's place
what the server expects of an unbound login. Nobody here ever has the password, and a login fails or succeeds by the
server's word alone.

Terms and formulas: RFC 5802, sections 3 and 5; RFC 7677. ``c=``, ``r=``, ``s=``, ``p=``, ``v=`` are its attributes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.postgres import wire
from localcloud.postgres.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_BOUND = b"SCRAM-SHA-256-PLUS"
_UNBOUND = b"SCRAM-SHA-256"
_BOUND_HEADER = b"p=tls-server-end-point,,"
_UNBOUND_HEADER = b"n,,"
_SUPPORTED_BUT_NOT_OFFERED = b"y"
_PROTOCOL_VIOLATION = "08P01"
_INVALID_AUTHORIZATION = "28000"


@dataclass(frozen=True, slots=True)
class _Verifier:
    """What a server keeps of a password: the challenge that it sends (salt and iterations), and two keys."""

    challenge: bytes
    stored_key: bytes
    server_key: bytes


class Verifiers:
    """The verifiers of a server's roles. Each is read again once the server sends another salt: the password is new."""

    def __init__(self, read: Callable[[str], Awaitable[str | None]]) -> None:
        self._read = read
        self._known: dict[str, _Verifier] = {}
        # Of many logins at once one asks, and the server's last connections are left to others.
        self._asking = asyncio.Lock()

    async def find(self, role: str, server_first: bytes) -> _Verifier | None:
        """Return the one that the server's challenge was made from; None if the role has no password.

        A server challenges everybody, so that nobody learns which roles there are.
        """
        challenge = server_first.partition(b",")[2]
        async with self._asking:
            known = self._known.get(role)
            if known is None or known.challenge != challenge:
                known = _parse(await self._read(role))
                if known is None or known.challenge != challenge:
                    return None
                self._known[role] = known
        return known


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def authenticate(
    client: Streams, server: Streams, role: str, binding: bytes, verifiers: Verifiers
) -> None:
    """Pass on the messages of a login until both sides understand each other without help.

    ``binding``: see :class:`localcloud.postgres.certificates.Certificate`. Raises RefusedError for a client that is
    bound to another connection, EOFError where a side has gone, wire.ProtocolError.
    """
    if not await _offer(client[1], server[0]):
        return
    response = await wire.read_message(client[0])
    mechanism, first = wire.parse_sasl_initial_response(response)
    if mechanism == _BOUND:
        if not first.startswith(_BOUND_HEADER):
            raise RefusedError("unsupported SCRAM channel-binding type", _PROTOCOL_VIOLATION)
        bare = first.removeprefix(_BOUND_HEADER)
        await _log_in(client, server, bare, role, binding, verifiers)
    elif mechanism == _UNBOUND and first.startswith(_SUPPORTED_BUT_NOT_OFFERED):
        # PostgreSQL's words. Somebody between has taken the offer out.
        raise RefusedError(
            "The client supports SCRAM channel binding but thinks the server does not. "
            "However, this server does support channel binding.",
            _INVALID_AUTHORIZATION,
        )
    else:
        server[1].write(response)


async def _offer(client: asyncio.StreamWriter, server: asyncio.StreamReader) -> bool:
    """Pass on the server's words, and offer binding where it asks for a password; False if it does not ask."""
    while True:
        message = await wire.read_message(server)
        offered = wire.authentication_data(message, wire.SASL_MECHANISMS)
        if offered is not None:
            client.write(wire.authentication(wire.SASL_MECHANISMS, _BOUND + b"\0" + offered))
            return True
        client.write(message)
        if message.kind not in {wire.NOTICE, wire.NEGOTIATE_PROTOCOL_VERSION}:
            return False


async def _log_in(
    client: Streams,
    server: Streams,
    client_first: bytes,
    role: str,
    binding: bytes,
    verifiers: Verifiers,
) -> None:
    """Lead a bound login with the client and an unbound one with the server, over the same nonces."""
    server[1].write(wire.sasl_initial_response(_UNBOUND, _UNBOUND_HEADER + client_first))
    message = await wire.read_message(server[0])
    client[1].write(message)
    server_first = wire.authentication_data(message, wire.SASL_CONTINUE)
    if server_first is None:
        return
    response = wire.sasl_response_data(await wire.read_message(client[0]))
    final, _, proof = response.rpartition(b",p=")
    bound_to, _, rest = final.partition(b",")
    if bound_to != _channel(_BOUND_HEADER + binding):
        raise RefusedError("SCRAM channel binding check failed", _INVALID_AUTHORIZATION)
    so_far = client_first + b"," + server_first + b","
    unbound_final = _channel(_UNBOUND_HEADER) + b"," + rest
    verifier = await verifiers.find(role, server_first)
    if verifier is not None:
        proof = _sign_again(verifier, proof, so_far + final, so_far + unbound_final)
    server[1].write(wire.sasl_response(unbound_final + b",p=" + proof))
    message = await wire.read_message(server[0])
    if verifier is not None and wire.authentication_data(message, wire.SASL_FINAL) is not None:
        signature = base64.b64encode(_sign(verifier.server_key, so_far + final))
        client[1].write(wire.authentication(wire.SASL_FINAL, b"v=" + signature))
    else:
        client[1].write(message)


def _channel(binding: bytes) -> bytes:
    return b"c=" + base64.b64encode(binding)


def _sign_again(verifier: _Verifier, proof: bytes, exchange: bytes, other: bytes) -> bytes:
    """Turn the proof of one exchange into that of another; one that is wrong stays wrong, for the server to refuse."""
    try:
        client_key = _xor(
            base64.b64decode(proof, validate=True), _sign(verifier.stored_key, exchange)
        )
    except (binascii.Error, ValueError):
        return proof
    if not hmac.compare_digest(hashlib.sha256(client_key).digest(), verifier.stored_key):
        return proof
    return base64.b64encode(_xor(client_key, _sign(verifier.stored_key, other)))


def _parse(verifier: str | None) -> _Verifier | None:
    # SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> (PostgreSQL documentation, "pg_authid").
    parts = (verifier or "").split("$")
    if len(parts) != 3 or parts[0] != _UNBOUND.decode():  # noqa: PLR2004
        return None
    iterations, _, salt = parts[1].partition(":")
    stored_key, _, server_key = parts[2].partition(":")
    return _Verifier(
        f"s={salt},i={iterations}".encode(),
        base64.b64decode(stored_key),
        base64.b64decode(server_key),
    )


def _sign(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
