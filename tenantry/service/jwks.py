"""The public keys of an issuer of tokens: its JSON Web Key Set (RFC 7517), asked for rarely and kept.

| what | limit |
| --- | --- |
| a set that was read | is used for 10 minutes without another look; for 24 hours where the issuer does not answer |
| an issuer that does not answer, or with what is no key set | is asked again after 30 s |
| a key id that the set does not have | leads to a look: one in 30 s for all of them, one in 2 minutes for each |
| an answer | 64 kB as it is sent, not compressed, within 5 s; no redirect is followed |

So whatever tokens come in, an issuer is asked a few times a minute at most.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tenantry.errors import TenantryError
from tenantry.urls import is_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

FRESH_SECONDS: Final = 600.0
STALE_SECONDS: Final = 86_400.0
PAUSE_SECONDS: Final = 30.0
ABSENT_SECONDS: Final = 120.0
FETCH_SECONDS: Final = 5.0
MOST_BYTES: Final = 65_536
RSA_BITS: Final = 2048
"""The shortest RSA key that is used (RFC 7518, section 3.3)."""
KINDS: Final = {"RS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
"""By algorithm the type and the curve of its keys (RFC 7518, RFC 8037)."""
_HTTP_OK: Final = 200
_log: Final = logging.getLogger("tenantry.service")


class UnknownKeyError(TenantryError):
    """The issuer has no key of this id for this algorithm."""


class KeysAwayError(TenantryError):
    """The issuer's keys cannot be had now, and none are kept that may still be used."""

    may_pass: ClassVar[bool] = True

    def __init__(self, url: str, seconds: float) -> None:
        """Say when it is asked again.

        :param seconds: until then
        """
        super().__init__("its keys cannot be read now", place=url)
        self.seconds = seconds


class KeySet:
    """The keys of one issuer, for all requests of one event loop."""

    def __init__(
        self,
        url: str,
        algorithms: Collection[str],
        client: httpx.AsyncClient,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet.

        :param url: of the key set: https, or http on the loopback
        :param algorithms: of `KINDS`; keys of others are passed over
        :param clock: seconds, which only grow
        :raises ValueError: the URL is another, or an algorithm has no public keys
        """
        if not is_safe(url) or not set(algorithms) <= set(KINDS):
            raise ValueError(
                "a key set has an https URL (or a loopback's), and algorithms of KINDS"
            )
        self._url = url
        self._algorithms = tuple(algorithms)
        self._client = client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: dict[tuple[str, str | None], list[jwt.PyJWK]] = {}
        self._read_at = self._failed_at = self._sought_at = float("-inf")
        self._reads = 0
        self._absent: dict[str, float] = {}

    async def key(self, identity: str | None, algorithm: str) -> jwt.PyJWK:
        """Return the key that a token names.

        :param identity: `kid` of the token. Without one the set must have a single key for the algorithm.
        :param algorithm: one of those that were given
        :raises UnknownKeyError: there is none, or several without an id to choose by
        :raises KeysAwayError: the issuer does not answer, and has not for a day
        """
        before = self._reads
        await self._refresh()
        found = self._find(identity, algorithm)
        if found is None and identity is not None and before == self._reads:
            await self._seek(identity)
            found = self._find(identity, algorithm)
        if found is None:
            raise UnknownKeyError("has no such key", place=self._url)
        return found

    def _find(self, identity: str | None, algorithm: str) -> jwt.PyJWK | None:
        if identity is not None:
            found = self._keys.get((algorithm, identity), [])
        else:
            found = [
                each for (name, _), keys in self._keys.items() if name == algorithm for each in keys
            ]
        return found[0] if len(found) == 1 else None

    def _age(self) -> float:
        return self._clock() - self._read_at

    def _is_due(self) -> bool:
        return self._age() >= FRESH_SECONDS and self._clock() - self._failed_at >= PAUSE_SECONDS

    async def _refresh(self) -> None:
        """Read the set where it is time. While one request does, the others go on with what is kept."""
        if self._is_due() and not (self._age() < STALE_SECONDS and self._lock.locked()):
            async with self._lock:
                if self._is_due():
                    await self._read()
        if self._age() >= STALE_SECONDS:
            left = self._failed_at + PAUSE_SECONDS - self._clock()
            raise KeysAwayError(self._url, max(left, 1.0))

    async def _seek(self, identity: str) -> None:
        """Look whether the issuer has a new key."""
        before = self._reads
        if not self._may_seek(identity):
            return
        async with self._lock:
            if self._reads != before or not self._may_seek(identity):
                return
            self._sought_at = self._clock()
            await self._read()
            if self._reads != before and not any(name == identity for _, name in self._keys):
                now = self._clock()
                # One is added in 30 s, and leaves after 2 minutes: there are never more than a few.
                self._absent = {name: end for name, end in self._absent.items() if end > now}
                self._absent[identity] = now + ABSENT_SECONDS

    def _may_seek(self, identity: str) -> bool:
        now = self._clock()
        return (
            now - self._sought_at >= PAUSE_SECONDS
            and now - self._failed_at >= PAUSE_SECONDS
            and self._absent.get(identity, now) <= now
        )

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                members = _members(await self._fetch())
        except (httpx.HTTPError, OSError, TimeoutError, ValueError, RecursionError) as error:
            self._failed_at = self._clock()
            _log.warning("%s: no keys: %s: %s", self._url, type(error).__name__, error)
            return
        self._keys = self._usable(members)
        self._reads += 1
        self._read_at = self._clock()
        self._failed_at = float("-inf")

    async def _fetch(self) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._client.stream(
            "GET", self._url, headers=headers, follow_redirects=False
        ) as answer:
            if answer.status_code != _HTTP_OK:
                raise ValueError(f"it answers {answer.status_code}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                # A little of it may become much when it is unpacked.
                raise ValueError("its answer is compressed, and that was not asked for")
            received = bytearray()
            async for part in answer.aiter_raw():
                received += part
                if len(received) > MOST_BYTES:
                    raise ValueError(f"its answer is longer than {MOST_BYTES} bytes")
        return bytes(received)

    def _usable(self, members: list[Any]) -> dict[tuple[str, str | None], list[jwt.PyJWK]]:
        """Sort the keys by algorithm and id. One that is of no use is passed over (RFC 7517, section 5)."""
        found: dict[tuple[str, str | None], list[jwt.PyJWK]] = {}
        for number, member in enumerate(members):
            for algorithm in self._algorithms:
                if not _fits(member, algorithm):
                    continue
                try:
                    key = _key_of(member, algorithm)
                except (jwt.PyJWTError, ValueError, TypeError) as error:
                    # Its text may quote the key; a public one, if all is well.
                    what = type(error).__name__
                    _log.warning("%s: key %d passed over: %s", self._url, number, what)
                    continue
                identity = member.get("kid")
                name = identity if isinstance(identity, str) else None
                found.setdefault((algorithm, name), []).append(key)
        return found


def _members(received: bytes) -> list[Any]:
    document = json.loads(received)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("its answer is no key set")  # noqa: TRY004 (a wrong answer, not a wrong argument)
    members: list[Any] = document["keys"]
    return members


def _fits(member: Any, algorithm: str) -> bool:  # noqa: ANN401 (JSON of somebody else)
    """Tell whether a key is one to verify signatures of an algorithm with, by what it says of itself."""
    if not isinstance(member, dict):
        return False
    kind, curve = KINDS[algorithm]
    operations = member.get("key_ops", ["verify"])
    return (
        member.get("kty") == kind
        and (curve is None or member.get("crv") == curve)
        and member.get("use", "sig") == "sig"
        and member.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
        # The private half: whoever reads it can sign.
        and "d" not in member
    )


def _key_of(member: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    key = jwt.PyJWK(member, algorithm)
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < RSA_BITS:
        raise ValueError(f"an RSA key is shorter than {RSA_BITS} bits")
    return key
