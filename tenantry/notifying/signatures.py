"""Signatures of webhooks, as the Standard Webhooks specification has them (https://www.standardwebhooks.com).

A message has three headers: `webhook-id` (the same when it is sent again), `webhook-timestamp` (Unix seconds of this
attempt) and `webhook-signature`, one or more `v1,BASE64` with a space between. What is signed is
`{id}.{timestamp}.{body}`, by HMAC with SHA-256. Only `v1` is known here: the asymmetric `v1a` is passed over.

A secret is written `whsec_BASE64`; some senders put `v1,` before it. Several secrets hold at once while one takes the
place of another: all of them sign, and a message is good when any of them made any of its signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
TOLERANCE_SECONDS: Final = 300
"""How far a message's time may be from ours, either way."""
SECRET_BYTES: Final = range(24, 65)
"""How long a secret may be, by the specification."""
_PREFIX: Final = "whsec_"
_VERSION: Final = "v1,"
# A receiver looks at no more of them: a header of 8 kB holds over a hundred.
_MOST_SIGNATURES: Final = 16
_SECONDS: Final = re.compile(r"[0-9]{1,12}")


class SecretFormError(TenantryError):
    """A text is no secret of a webhook; the message does not hold it."""


class SignatureError(TenantryError):
    """A message is not from who has the secret, or not from now."""


def secret_of(text: str, place: str) -> bytes:
    """Read a secret: `whsec_` and base64 of 24 to 64 bytes, with or without `v1,` before it.

    :param place: the variable or key that it is from, for a message
    :raises SecretFormError: it has another form
    """
    encoded = text.strip().removeprefix(_VERSION)
    if not encoded.startswith(_PREFIX):
        raise SecretFormError(
            "is no secret of a webhook",
            place=place,
            way_out=f"give {_PREFIX} and the base64 of 24 to 64 random bytes",
        )
    try:
        secret = base64.b64decode(encoded.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # Not chained: the cause may quote the text.
        secret = b""
    if len(secret) not in SECRET_BYTES:
        raise SecretFormError(
            f"what follows {_PREFIX} is not the base64 of 24 to 64 bytes", place=place
        )
    return secret


def sign(secrets: Sequence[bytes], identity: str, at: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a message.

    :param secrets: one, or the new one and the old one
    :param identity: the same for each attempt to deliver this message; without a full stop in it
    :param at: the time of this attempt, in Unix seconds
    :param body: as it is sent, byte for byte
    :raises ValueError: no secret, or an identity with a full stop, which would let one message stand for another
    """
    if not secrets or not identity or "." in identity:
        raise ValueError("a message is signed with a secret, and its id has no full stop")
    made = [_VERSION + _signature(secret, identity, str(at), body) for secret in secrets]
    return {ID: identity, TIMESTAMP: str(at), SIGNATURE: " ".join(made)}


def verify(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """Return the id of a message that one who has a secret sent within the last five minutes.

    Whether the id has been seen before is for the caller to look up: it is the same when a message is sent again.

    :param headers: of the request; names in lower case, or a mapping that does not mind
    :param body: as it came, byte for byte
    :param now: Unix seconds
    :raises SignatureError: a header is missing, the time is too far off, or no signature is right
    """
    identity, at, signatures = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not identity or not at or not signatures:
        raise SignatureError(f"{ID}, {TIMESTAMP} and {SIGNATURE} are all needed")
    if not _SECONDS.fullmatch(at):
        raise SignatureError(f"{TIMESTAMP} is not a number of seconds since 1970")
    if abs(now - int(at)) > TOLERANCE_SECONDS:
        raise SignatureError(
            f"{TIMESTAMP} is more than {TOLERANCE_SECONDS} s off: look at both clocks"
        )
    given = [
        each.removeprefix(_VERSION).encode()
        for each in signatures.split(" ")[:_MOST_SIGNATURES]
        if each.startswith(_VERSION)
    ]
    good = False
    for secret in secrets:
        wanted = _signature(secret, identity, at, body).encode()
        for each in given:
            # All are compared, so that the time tells nothing of which one was right.
            good |= hmac.compare_digest(each, wanted)
    if not good:
        raise SignatureError(f"no {SIGNATURE} is that of this body with the secret of this place")
    return identity


def _signature(secret: bytes, identity: str, at: str, body: bytes) -> str:
    signed = f"{identity}.{at}.".encode() + body
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
