"""Pages by cursor: the cursor is the place after which the next page begins."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from localcloud.neon.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


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
