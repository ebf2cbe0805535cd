"""Pages by cursor: the cursor is the place after which the next page begins."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from localcloud.neon.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


def limit_of(query: Mapping[str, str], default: int, maximum: int) -> int:
    """Return the page size asked for. Raises ApiError 400 outside of 1 to ``maximum``."""
    text = query.get("limit")
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= maximum:
        raise bad_request(
            f'parameter "limit" in query has an error: must be an integer from 1 to {maximum}'
        )
    return value


def flag_of(query: Mapping[str, str], name: str) -> bool:
    """Return a boolean parameter, false when absent. Raises ApiError 400."""
    text = query.get(name, "false")
    if text not in {"true", "false"}:
        raise bad_request(f'parameter "{name}" in query has an error: must be true or false')
    return text == "true"


def page(
    items: Sequence[T],
    key: Callable[[T], tuple[str, str]],
    cursor: str | None,
    limit: int,
    *,
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """Return the items after the cursor in the order of ``key`` (unique), and the cursor of the last one returned.

    The cursor holds the key itself, so an item made or removed between two pages neither repeats nor hides another.
    It is None when the page is empty. Raises ApiError 400 for a cursor that this API never gave.
    """
    ordered = sorted(items, key=key, reverse=descending)
    if cursor:
        place = _decode(cursor)
        ordered = [
            item for item in ordered if (key(item) < place if descending else key(item) > place)
        ]
    chosen = ordered[:limit]
    return chosen, _encode(key(chosen[-1])) if chosen else None


def _encode(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode("\0".join(key).encode()).decode()


def _decode(cursor: str) -> tuple[str, str]:
    try:
        first, _, second = (
            base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
            .decode()
            .partition("\0")
        )
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise bad_request('parameter "cursor" in query has an error: invalid cursor') from error
    return first, second
