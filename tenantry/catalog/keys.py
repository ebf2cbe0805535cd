"""API keys: what they look like, how they are kept, and which generations count.

A key is `{prefix}_{unix seconds}_{64 hex digits}`, such as `acme--default_1789000000_5f0c…`. The prefix tells people
whose it is, and the seconds when it was made. The secret is the 32 random bytes at the end. Neither a prefix nor a
number holds an underscore, so a key is taken apart in one way only.

Only the SHA-256 of a key is kept. 256 random bits cannot be guessed, so a slow hash would add nothing: NIST
SP 800-63B, section 5.1.2.2, asks for salt and stretching below 112 bits.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

SECRET_BYTES: Final = 32
LATEST: Final = 253_402_300_799
"""Unix seconds of the last second that a datetime can hold, at the end of the year 9999."""

# What AppNames.api_key_prefix gives: at most 63 letters, digits, hyphens and dots.
_PREFIX: Final = r"[a-z][a-z0-9.-]{0,62}"
_KEY: Final = re.compile(
    rf"(?P<prefix>{_PREFIX})_(?P<at>0|[1-9][0-9]{{0,11}})_(?P<secret>[0-9a-f]{{{2 * SECRET_BYTES}}})"
)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """The parts of a key."""

    prefix: str
    created_at: datetime
    secret: str = field(repr=False)
    """64 hex digits."""


def compose(prefix: str, *, at: int, secret: bytes) -> str:
    """Make a key.

    :param prefix: `AppNames.api_key_prefix` of the key's name
    :param at: when it was made, in Unix seconds
    :param secret: 32 random bytes
    :raises ValueError: one of them is not of that form; the message does not hold the secret
    """
    if not re.fullmatch(_PREFIX, prefix):
        raise ValueError(
            f"{prefix!r} is no prefix of a key: 1 to 63 of a-z, 0-9, - and ., a letter first"
        )
    if not 0 <= at <= LATEST:
        raise ValueError(f"{at} is no time of a key: 0 to {LATEST} seconds")
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key's secret has {SECRET_BYTES} bytes, this one {len(secret)}")
    return f"{prefix}_{at}_{secret.hex()}"


def parse(text: str) -> ParsedKey | None:
    """Take a key apart; None where the text cannot be a key. `compose` makes the same text of the parts."""
    found = _KEY.fullmatch(text)
    if found is None or int(found["at"]) > LATEST:
        return None
    return ParsedKey(
        found["prefix"], datetime.fromtimestamp(int(found["at"]), UTC), found["secret"]
    )


def digest(key: str) -> str:
    """Return what the catalog keeps of a key: its SHA-256 as 64 hex digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def live_generations(generation: int, revoked: Collection[int] = ()) -> tuple[int, ...]:
    """Return the generations of a key that are to be valid: the one before and the current one, less the revoked.

    The one before stays so that clients can change over in their own time.

    :param generation: the current one, 1 or more
    :param revoked: generations that were revoked before their time
    """
    return tuple(n for n in (generation - 1, generation) if n >= 1 and n not in revoked)
