"""The file of a key that the Neon plugins of a machine take their turns from, with the tokens that were drawn for them.

The file is the plugin's (`toolchain/internal/neonhttp`, account.go and wallet.go). Here it is read, and `drawn` and
`held_until` in it are written, under the same lock. Nothing in it is secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PUBLIC: Final = "https://console.neon.tech/api/v2"
_TICK: Final = 0.05
"""Seconds: two writes within a tick of the kernel's clock have one time, and ticks are 10 ms at most."""
_DRAWN: Final = "drawn"
_HELD: Final = "held_until"


@dataclass(frozen=True)
class Seen:
    """What the file says."""

    wanted: int
    """Requests that wait."""
    tokens: int
    """Those that may be spent yet."""
    held_until: float
    """Until when Neon wants no request, in seconds since the epoch; 0 where it did not say so."""


class Wallet:
    """One such file, which need not exist. Moments are seconds since the epoch."""

    def __init__(self, file: Path) -> None:
        """Touch nothing."""
        self.file = file
        self._read: tuple[int, dict[str, Any]] = (0, {})
        """When the file was written, and what it held, where it has not changed since for certain."""

    @classmethod
    def of(cls, key: str, environment: Mapping[str, str]) -> Wallet:
        """Return the one of a key for Neon's API, where the plugin has it.

        :param environment: the variables of the plugin
        """
        base = (environment.get("NEON_API_URL") or _PUBLIC).rstrip("/")
        name = hashlib.sha256(f"{base}\n{key}".encode()).hexdigest()[:16]
        return cls(_folder(environment) / f"account-{name}.json")

    def look(self, now: float) -> Seen | None:
        """Read it without the lock; None where it is not there, or is being written."""
        try:
            written = self.file.stat().st_mtime_ns
            found = (
                self._read[1] if written == self._read[0] else json.loads(self.file.read_bytes())
            )
        except (OSError, ValueError):
            return None
        if abs(now - written / 1e9) > _TICK:
            self._read = (written, found)
        drawn = found.get(_DRAWN) or {}
        usable = _moment(drawn.get("good_until")) > now
        return Seen(
            wanted=drawn.get("wanted", 0),
            tokens=drawn.get("tokens", 0) if usable else 0,
            held_until=_moment(found.get(_HELD)),
        )

    def promise(self, until: float, *, cut_off: bool = False) -> None:
        """Say until when tokens are drawn, unless this is said again.

        :param cut_off: the catalog does not let itself be asked, so there will be none
        """
        with self._content() as content:
            drawn = content.setdefault(_DRAWN, {"tokens": 0, "wanted": 0})
            drawn |= {"until": _text(until), "cut_off": cut_off}

    def put(self, tokens: int, good_until: float, held_until: float) -> None:
        """Add tokens.

        :param good_until: when they are too old; those that are there may be so before, and then all are
        :param held_until: until when the catalog says that Neon wants no request; 0 where it does not
        """
        with self._content() as content:
            if _DRAWN not in content:
                return
            drawn = content[_DRAWN]
            before = _moment(drawn.get("good_until"))
            if drawn["tokens"] and before > time.time():
                drawn |= {"tokens": drawn["tokens"] + tokens}
            else:
                drawn |= {"tokens": tokens, "good_until": _text(good_until)}
            if held_until > _moment(content.get(_HELD)):
                content[_HELD] = _text(held_until)
                drawn["tokens"] = 0

    def expire(self, now: float) -> None:
        """Where tokens got too old, take it that nobody waits who was counted: whoever does says so again."""
        with self._content() as content:
            drawn = content.get(_DRAWN)
            if drawn and drawn["tokens"] and _moment(drawn.get("good_until")) <= now:
                drawn |= {"tokens": 0, "wanted": 0}

    def forget(self) -> None:
        """Say that nothing is drawn, and that no other machine does."""
        with self._content() as content:
            content.pop(_DRAWN, None)

    @contextmanager
    def _content(self) -> Iterator[dict[str, Any]]:
        """Give what is in it, under its lock, and keep what was made of it.

        :raises OSError: it cannot be used
        """
        import fcntl

        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(self.file, flags, 0o600), "r+b") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            try:
                content = json.loads(opened.read() or b"{}")
            except ValueError:
                # Cut short by a process that died. What is lost is a moment of the budget.
                content = {}
            yield content
            opened.seek(0)
            opened.write(json.dumps(content).encode())
            opened.truncate()


def _folder(environment: Mapping[str, str]) -> Path:
    # As accountFolder in settings.go.
    if own := environment.get("TENANTRY_CACHE"):
        return Path(own) / "neon"
    shared = environment.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "tenantry" / "neon"


def _moment(text: object) -> float:
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0.0


def _text(moment: float) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=moment)).isoformat()
