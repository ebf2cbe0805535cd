from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.neon.errors import ApiError
from localcloud.neon.pagination import page

Item = tuple[str, str]
items = st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz-0", min_size=1)), unique=True)


def key(item: Item) -> Item:
    return item


@given(items, st.integers(1, 5), st.booleans())
def test_pages_together_are_everything_in_order(
    found: list[Item], limit: int, descending: bool
) -> None:
    seen: list[Item] = []
    cursor: str | None = None
    for _ in range(len(found) + 1):
        chosen, cursor = page(found, key, cursor, limit, descending=descending)
        assert len(chosen) <= limit
        if not chosen:
            break
        seen += chosen
    assert seen == sorted(found, reverse=descending)
    assert cursor is None


def test_what_is_added_or_removed_between_pages_neither_repeats_nor_hides() -> None:
    found = [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]
    first, cursor = page(found, key, None, 2)
    found.remove(("2", "b"))
    found.append(("0", "new"))
    second, _ = page(found, key, cursor, 2)
    assert first + second == [("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")]


@pytest.mark.parametrize("cursor", ["%%%", "abc", base64.b64encode(b"\xff\xfe").decode()])
def test_a_cursor_that_was_never_given_is_refused(cursor: str) -> None:
    with pytest.raises(ApiError) as caught:
        page([("1", "a")], key, cursor, 1)
    assert caught.value.status == 400
