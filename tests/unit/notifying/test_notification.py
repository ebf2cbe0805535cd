from datetime import UTC, datetime
from typing import Any

import pytest

from tenantry.notifying.notification import Notification
from tenantry.registry.notices import OCCASIONS

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def notification(**changed: Any) -> Notification:
    given: dict[str, Any] = {
        "kind": "failed",
        "app": "acme/web",
        "text": "no capacity",
        "at": AT,
        "operation": "op-1",
    }
    return Notification(**given | changed)


def test_the_same_happening_is_the_same_message() -> None:
    assert notification().identity == notification().identity
    others = [
        notification(kind="ready"),
        notification(app="acme/we"),
        notification(text="no"),
        notification(operation=None),
        notification(at=AT.replace(second=1)),
    ]
    assert len({each.identity for each in (notification(), *others)}) == 6
    assert "." not in notification().identity


@pytest.mark.parametrize("kind", OCCASIONS)
def test_each_kind_has_its_words(kind: str) -> None:
    assert notification(kind=kind).title.startswith("acme/web ")


def test_the_document_has_type_time_and_data() -> None:
    assert notification().document() == {
        "type": "app.failed",
        "timestamp": "2026-11-29T12:00:00+00:00",
        "data": {"app": "acme/web", "text": "no capacity", "operation": "op-1"},
    }


def test_nothing_of_a_text_calls_anybody_in_a_channel() -> None:
    text = notification(text="<!channel> & <https://evil.example|click>").slack()["text"]
    assert text == ("*acme/web failed*\n&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;")


def test_a_text_is_cut_and_has_lines_of_visible_characters() -> None:
    assert notification(text="a\x1b[31mb\x07\r\nc\x00\n").shown == "ab\nc"
    assert len(notification(text="x" * 5000).shown) == 2001
