"""Access tokens: nothing is stored, the token itself says until when it is good, under the account's seal.

So a token outlives a restart of the local cloud, as one of Aura's outlives a restart of anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from enum import Enum, auto

_NONCE_BYTES = 16


class Standing(Enum):
    """What a token is worth."""

    GOOD = auto()
    EXPIRED = auto()
    UNKNOWN = auto()


class Tokens:
    """Issues and judges tokens. ``seconds`` is their lifetime; ``key`` the seal, private to the data folder."""

    def __init__(self, key: str, seconds: int) -> None:
        self._key = key.encode()
        self.seconds = seconds

    def issue(self, now: float) -> str:
        """Return a new token. ``now`` is in Unix seconds."""
        content = f"{int((now + self.seconds) * 1000)}.{secrets.token_hex(_NONCE_BYTES)}"
        return f"{content}.{self._seal(content)}"

    def judge(self, token: str, now: float) -> Standing:
        """Return what a token is worth at ``now``."""
        content, _, seal = token.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(content).encode()):
            return Standing.UNKNOWN
        until = int(content.partition(".")[0]) / 1000
        return Standing.GOOD if now < until else Standing.EXPIRED

    def _seal(self, content: str) -> str:
        mac = hmac.new(self._key, b"aura-token/" + content.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
