"""Where the engine's own backends keep what, and how it is packed (pulumi 3, `pkg/backend/diy`). Pure.

A stack's state is `.pulumi/stacks/PROJECT/STACK.json`, with `.gz` or `.zst` behind it where
`PULUMI_DIY_BACKEND_GZIP` or `PULUMI_DIY_BACKEND_ZSTD` is set. Each run's lock is
`.pulumi/locks/organization/PROJECT/STACK/UUID.json`. Each update leaves
`.pulumi/history/PROJECT/STACK/STACK-NANOSECONDS.history.json`, and beside it a copy of the state, `….checkpoint.json`.
"""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

STACKS: Final = ".pulumi/stacks"
LOCKS: Final = ".pulumi/locks/organization"
HISTORY: Final = ".pulumi/history"

ENDINGS: Final = (".json", ".json.gz", ".json.zst")
"""What follows a stack's name in the key of its state."""
TAGS: Final = ".pulumi-tags"
BACKUP: Final = ".bak"
"""What follows the key of a state in that of its copy from before the last write."""
CUT: Final = ".cut"
"""What follows the key of a state in that of its cut-off rest, after a copy took its place."""
BESIDE: Final = (
    TAGS,
    *(f"{each}{more}" for more in (CUT, BACKUP) for each in ENDINGS),
    *ENDINGS,
)
"""The endings of all keys of a stack but its history. The state is last: the stack exists as long as its state."""
UPDATE: Final = r"\.history\.json(\.gz|\.zst)?$"
"""What the keys of updates end with."""

# A stack's name as the engine judges it (`tokens.ParseStackName`): it passes over files with another one.
_STATE: Final = re.compile(r"(?P<stack>[A-Za-z0-9_.-]{1,100})\.json(?:\.gz|\.zst)?")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def stacks_in(keys: Iterable[str], project: str) -> set[str]:
    """Name the stacks of which these keys are the states."""
    folder = f"{STACKS}/{project}/"
    found = (_STATE.fullmatch(key.removeprefix(folder)) for key in keys)
    return {each["stack"] for each in found if each}


def state_keys(project: str, stack: str) -> list[str]:
    """List the keys at which a stack's state may be: plain, and packed in either way."""
    return [f"{STACKS}/{project}/{stack}{ending}" for ending in ENDINGS]


def unpack(content: bytes) -> bytes:
    """Return what was packed; what is plain is returned as it is.

    :raises ValueError: it was cut off
    """
    if content.startswith(_GZIP):
        try:
            return gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"cut off: {error}") from None
    if content.startswith(_ZSTD):
        zstd = _zstd()
        try:
            return bytes(zstd.decompress(content))
        except zstd.ZstdError as error:
            raise ValueError(f"cut off: {error}") from None
    return content


def unpack_head(content: bytes, length: int) -> bytes:
    """Return the first bytes of what was packed; fewer where the content does not reach so far.

    A head of what zstd packed gives nothing, since that comes in blocks of 128 KB: give all of it.
    """
    if content.startswith(_GZIP):
        with suppress(zlib.error):
            return zlib.decompressobj(wbits=31).decompress(content, length)
        return b""
    if content.startswith(_ZSTD):
        zstd = _zstd()
        with suppress(zstd.ZstdError):
            return bytes(zstd.ZstdDecompressor().decompress(content, length))
        return b""
    return content[:length]


def pack(content: bytes, key: str) -> bytes:
    """Pack what is to be at a key, as its ending says."""
    if key.endswith(".gz"):
        return gzip.compress(content)
    if key.endswith(".zst"):
        return bytes(_zstd().compress(content))
    return content


def _zstd() -> Any:  # noqa: ANN401 a module
    # Only a backend that is configured for it has such files.
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
