"""Key sets over real HTTP, with a clock that the tests move."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm

from tenantry.service import jwks
from tenantry.service.jwks import KeysAwayError, KeySet, UnknownKeyError
from tests.unit.service.support import TLS, Clock, KeyServer, SigningKey

ONE = SigningKey("one")
TWO = SigningKey("two")
ALL = ("RS256", "ES256", "EdDSA")

Scene = Callable[[KeySet, Clock], Awaitable[None]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def key_set(url: str, clock: Clock) -> AsyncIterator[KeySet]:
    async with httpx.AsyncClient(verify=TLS) as client:
        yield KeySet(url, ALL, client, clock=clock)


async def known(keys: KeySet, identity: str | None, algorithm: str = "ES256") -> bool:
    try:
        return bool(await keys.key(identity, algorithm))
    except UnknownKeyError:
        return False


def run(url: str, clock: Clock, scene: Callable[[KeySet], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with key_set(url, clock) as keys:
            await scene(keys)

    asyncio.run(all_of_it())


def test_a_set_is_read_once_in_ten_minutes(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        assert all(await asyncio.gather(*(known(keys, "one") for _ in range(50))))
        clock.now += 599
        assert await known(keys, "one")
        assert key_server.asked == 1
        clock.now += 1
        assert all(await asyncio.gather(*(known(keys, "one") for _ in range(50))))
        assert key_server.asked == 2

    run(keys_url, clock, scene)


def test_a_new_key_is_found_at_once_and_an_old_one_leaves(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        assert await known(keys, "one")
        key_server.serve(TWO.jwk())
        assert await known(keys, "two")
        assert not await known(keys, "one")
        assert key_server.asked == 2

    run(keys_url, clock, scene)


def test_a_flood_of_unknown_ids_asks_once_in_thirty_seconds(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        for second in range(60):
            found = await asyncio.gather(*(known(keys, f"{second}-{n}") for n in range(20)))
            assert not any(found)
            clock.now += 1
        # The first, then at 0 s (the first read was none for an unknown id), 30 s and 60 s.
        assert key_server.asked == 3
        assert await known(keys, "one")

    run(keys_url, clock, scene)


def test_one_unknown_id_asks_once_in_two_minutes(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        assert await known(keys, "one")
        for _ in range(12):
            assert not await known(keys, "two")
            clock.now += 10
        assert key_server.asked == 2
        key_server.serve(ONE.jwk(), TWO.jwk())
        assert await known(keys, "two")

    run(keys_url, clock, scene)


def test_a_set_is_kept_for_a_day_while_its_issuer_is_away(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        assert await known(keys, "one")
        key_server.status = 503
        clock.now += 86_399
        for _ in range(20):
            assert await known(keys, "one")
            # An id that nobody can be asked about now makes no further requests.
            assert not await known(keys, "two")
        assert key_server.asked == 2
        clock.now += 31
        with pytest.raises(KeysAwayError) as caught:
            await keys.key("one", "ES256")
        assert 1 <= caught.value.seconds <= 30
        assert key_server.asked == 3
        key_server.serve(ONE.jwk())
        with pytest.raises(KeysAwayError):
            await keys.key("one", "ES256")
        assert key_server.asked == 3
        clock.now += 30
        assert await known(keys, "one")

    run(keys_url, clock, scene)


def test_an_id_that_could_not_be_asked_about_is_asked_about_later(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk())
        assert await known(keys, "one")
        key_server.status = 503
        assert not await known(keys, "two")
        key_server.serve(ONE.jwk(), TWO.jwk())
        clock.now += 30
        assert await known(keys, "two")

    run(keys_url, clock, scene)


@pytest.mark.parametrize(
    ("body", "status", "headers"),
    [
        (b'{"keys": []}' + b" " * 65_536, 200, {}),
        (
            gzip.compress(json.dumps({"keys": []}).encode(), mtime=0),
            200,
            {"content-encoding": "gzip"},
        ),
        (b"[" * 60_000, 200, {}),
        (b"", 200, {}),
        (b"\xff\xfe", 200, {}),
        (b"[]", 200, {}),
        (b'{"keys": {}}', 200, {}),
        (b'{"keys": []}', 302, {"location": "https://elsewhere.example.com"}),
        (b'{"keys": []}', 404, {}),
    ],
)
def test_an_answer_that_is_no_small_key_set_is_none(
    key_server: KeyServer,
    keys_url: str,
    clock: Clock,
    body: bytes,
    status: int,
    headers: dict[str, str],
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.body, key_server.status, key_server.headers = body, status, headers
        for _ in range(5):
            with pytest.raises(KeysAwayError):
                await keys.key("one", "ES256")
        assert key_server.asked == 1

    run(keys_url, clock, scene)


def test_an_answer_that_never_ends_is_given_up(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.5)

    ended = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not reader.at_eof():
            writer.write(b" ")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1000), 0.05)
        writer.close()
        ended.set()

    async def scene() -> None:
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with key_set(f"http://127.0.0.1:{port}/", clock) as keys:
                with pytest.raises(KeysAwayError):
                    await keys.key("one", "ES256")
            await ended.wait()

    asyncio.run(asyncio.wait_for(scene(), 5))


_SHORT = SigningKey("k", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))
_PRIVATE = json.loads(ECAlgorithm.to_jwk(SigningKey("k").private))
_CURVE = ec.generate_private_key(ec.SECP384R1())


@pytest.mark.parametrize(
    "member",
    [
        "k",
        None,
        {},
        {"kty": "oct", "kid": "k", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMw"},
        SigningKey("k").jwk(use="enc"),
        SigningKey("k").jwk(alg="ES384"),
        SigningKey("k").jwk(key_ops=["sign"]),
        SigningKey("k").jwk(key_ops="verify"),
        _PRIVATE | {"kid": "k"},
        SigningKey("k").jwk(crv="P-384"),
        SigningKey("k").jwk(x="AAAA"),
        SigningKey("k").jwk(x=None),
        SigningKey("k").jwk(x=7),
        SigningKey("k", private=_CURVE).jwk(),
        SigningKey("k").jwk(kid=["k"]),
        _SHORT.jwk(),
    ],
)
def test_a_key_of_no_use_is_passed_over_and_the_others_hold(
    key_server: KeyServer, keys_url: str, clock: Clock, member: Any
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(member, ONE.jwk())
        assert await known(keys, "one")
        assert [await known(keys, "k", each) for each in ALL] == [False] * 3

    run(keys_url, clock, scene)


@pytest.mark.parametrize("algorithm", ALL)
def test_a_key_is_for_its_own_algorithm_alone(
    key_server: KeyServer, keys_url: str, clock: Clock, algorithm: str
) -> None:
    async def scene(keys: KeySet) -> None:
        # It may leave out what it is for.
        key_server.serve(SigningKey("k", algorithm).jwk(alg=None, use=None))
        assert [each for each in ALL if await known(keys, "k", each)] == [algorithm]

    run(keys_url, clock, scene)


def test_a_token_without_an_id_has_the_only_key_of_its_algorithm(
    key_server: KeyServer, keys_url: str, clock: Clock
) -> None:
    async def scene(keys: KeySet) -> None:
        key_server.serve(ONE.jwk(), SigningKey(None, "EdDSA").jwk())
        assert await known(keys, None)
        assert await known(keys, None, "EdDSA")
        clock.now += 600
        key_server.serve(ONE.jwk(), TWO.jwk())
        assert not await known(keys, None)
        assert key_server.asked == 2

    run(keys_url, clock, scene)


@pytest.mark.parametrize("url", ["http://id.example.com/jwks.json", "file:///etc/passwd", ""])
def test_keys_come_over_a_way_that_nobody_changes(url: str) -> None:
    with pytest.raises(ValueError, match="https URL"):
        KeySet(url, ALL, httpx.AsyncClient(verify=TLS))


def test_a_secret_is_no_public_key() -> None:
    with pytest.raises(ValueError, match="algorithms of KINDS"):
        KeySet("https://id.example.com/", ["HS256"], httpx.AsyncClient(verify=TLS))
