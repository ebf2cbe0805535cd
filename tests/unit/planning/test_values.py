from typing import Any

import pytest

from tenantry.planning.values import holds_unknown, is_secret, shown, written
from tests.unit.planning.support import SECRET, UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "none"),
        (True, "true"),
        (0.25, "0.25"),
        (2.0, "2"),
        ("Acme Inc.", "Acme Inc."),
        ("Müller", "Müller"),
        ("a: b, c", '"a: b, c"'),
        ("<!-- @all -->", '"<!-- @all -->"'),
        ("x\u202ey", '"x\\u202ey"'),
        ("\x1b[31m", '"\\u001b[31m"'),
        ([], "[]"),
        (["read", "write"], "[read, write]"),
        ({"scopes": ["read"], "expires": None, "revoked": []}, "{scopes: [read]}"),
    ],
)
def test_a_value_of_the_registry_reads_as_it_is_written(value: Any, expected: str) -> None:
    assert written(value, "field") == expected


def test_a_property_shows_neither_secrets_nor_control_characters() -> None:
    value = {"password": SECRET, "host": UNKNOWN, "names": ["a", "\u009b"]}
    assert shown(value) == (
        '{"host": "(known once it is applied)", "names": ["a", "\\u009b"], "password": "[secret]"}'
    )


def test_marks_of_the_engine_are_known() -> None:
    assert is_secret(SECRET)
    assert not is_secret({"a": 1})
    assert holds_unknown({"a": [UNKNOWN]})
    assert not holds_unknown({"a": ["b"]})
