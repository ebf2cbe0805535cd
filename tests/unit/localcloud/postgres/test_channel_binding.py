from __future__ import annotations

import asyncio
import base64
from typing import cast

import pytest

from localcloud.postgres import wire
from localcloud.postgres.channel_binding import Verifiers, authenticate
from localcloud.postgres.refusal import RefusedError

BINDING = b"b" * 32
OFFER = wire.authentication(wire.SASL_MECHANISMS, b"SCRAM-SHA-256\0\0")
OFFER_WITH_BINDING = wire.authentication(
    wire.SASL_MECHANISMS, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"
)
CHALLENGE = wire.authentication(wire.SASL_CONTINUE, b"r=nonce,s=c2FsdA==,i=4096")
BOUND = b"p=tls-server-end-point,,"


class Sink:
    """The writing half of a side."""

    def __init__(self) -> None:
        self.received = b""

    def write(self, data: bytes) -> None:
        self.received += data


def log_in(*, client: bytes, server: bytes) -> tuple[bytes, bytes]:
    """Let both sides say these words; return what each was told."""

    async def run() -> tuple[bytes, bytes]:
        told_client, told_server = Sink(), Sink()

        def side(words: bytes, sink: Sink) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader = asyncio.StreamReader()
            reader.feed_data(words)
            reader.feed_eof()
            return reader, cast("asyncio.StreamWriter", sink)

        async def read(_role: str) -> None:
            return None

        client_side, server_side = side(client, told_client), side(server, told_server)
        await authenticate(client_side, server_side, "role", BINDING, Verifiers(read))
        return told_client.received, told_server.received

    return asyncio.run(run())


def final(channel: bytes) -> bytes:
    return wire.sasl_response(b"c=" + base64.b64encode(channel) + b",r=nonce,p=cHJvb2Y=")


def test_a_client_without_binding_talks_to_the_server_itself() -> None:
    first = wire.sasl_initial_response(b"SCRAM-SHA-256", b"n,,n=,r=nonce")
    assert log_in(client=first, server=OFFER) == (OFFER_WITH_BINDING, first)


def test_a_server_that_refuses_at_once_or_asks_for_nothing_is_heard() -> None:
    notice = b"N\0\0\0\x04"
    for last in (wire.error_response("no", "28000"), wire.authentication(0, b"")):
        assert log_in(client=b"", server=notice + last) == (notice + last, b"")


def test_a_role_without_a_verifier_is_refused_by_the_server_and_not_here() -> None:
    refusal = wire.error_response("password authentication failed", "28P01")
    told_client, told_server = log_in(
        client=wire.sasl_initial_response(b"SCRAM-SHA-256-PLUS", BOUND + b"n=,r=nonce")
        + final(BOUND + BINDING),
        server=OFFER + CHALLENGE + refusal,
    )
    assert told_client == OFFER_WITH_BINDING + CHALLENGE + refusal
    assert told_server == (
        wire.sasl_initial_response(b"SCRAM-SHA-256", b"n,,n=,r=nonce") + final(b"n,,")
    )


@pytest.mark.parametrize(
    ("mechanism", "first", "channel", "words"),
    [
        (b"SCRAM-SHA-256", b"y,,n=,r=nonce", b"", "thinks the server does not"),
        (b"SCRAM-SHA-256-PLUS", b"p=tls-unique,,n=,r=nonce", b"", "unsupported SCRAM channel"),
        (b"SCRAM-SHA-256-PLUS", b"n,,n=,r=nonce", b"", "unsupported SCRAM channel"),
        (b"SCRAM-SHA-256-PLUS", BOUND + b"n=,r=nonce", BOUND + b"x" * 32, "check failed"),
        (b"SCRAM-SHA-256-PLUS", BOUND + b"n=,r=nonce", b"n,,", "check failed"),
    ],
)
def test_a_client_that_is_bound_to_something_else_is_refused(
    mechanism: bytes, first: bytes, channel: bytes, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        log_in(
            client=wire.sasl_initial_response(mechanism, first) + final(channel),
            server=OFFER + CHALLENGE,
        )


@pytest.mark.parametrize("said", [b"", b"p\0\0", b"p\0\0\0\x09abc"])
def test_a_client_that_goes_away_ends_it(said: bytes) -> None:
    with pytest.raises(EOFError):
        log_in(client=said, server=OFFER)


@pytest.mark.parametrize("length", [0, 3, 65_536])
def test_a_message_of_an_impossible_length_ends_it(length: int) -> None:
    with pytest.raises(wire.ProtocolError):
        log_in(client=b"p" + length.to_bytes(4, "big"), server=OFFER)


def test_a_verifier_is_read_once_for_a_password() -> None:
    asked: list[str] = []
    kept = {"one": "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"}

    async def read(role: str) -> str | None:
        asked.append(role)
        return kept.get(role)

    async def run() -> None:
        verifiers = Verifiers(read)
        for _ in range(2):
            found = await verifiers.find("one", b"r=nonce,s=c2FsdA==,i=4096")
            assert found is not None
            assert (found.stored_key, found.server_key) == (b"stored", b"server")
        assert asked == ["one"]
        kept["one"] = "SCRAM-SHA-256$4096:bmV3$c3RvcmVk:bmV3"
        found = await verifiers.find("one", b"r=nonce,s=bmV3,i=4096")
        assert found is not None
        assert found.server_key == b"new"
        for role in ("one", "two"):
            assert await verifiers.find(role, b"r=nonce,s=bW9jaw==,i=4096") is None
        kept["one"] = "md5abc"
        assert await verifiers.find("one", b"r=nonce,s=b3RoZXI=,i=4096") is None

    asyncio.run(run())
