from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from localcloud.faults.orders import Order, Record

DROP = {"kind": "drop"}


def order(**fields: Any) -> Order:
    return Order.model_validate({"api": "neon", "match": "POST /projects", "fault": DROP} | fields)


def test_an_order_hits_the_first_matching_request_unless_it_says_otherwise() -> None:
    made = order()
    assert (made.skip, made.count, made.probability, made.nth) == (0, 1, 1.0, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"api": "azure"}, "neon"),
        ({"match": "projects"}, "METHOD /path"),
        ({"fault": {"kind": "explode"}}, "explode"),
        ({"fault": {"kind": "drop", "then": "go"}}, "Extra inputs"),
        ({"fault": {"kind": "status", "status": 99}}, "greater than or equal to 200"),
        ({"fault": {"kind": "status", "status": 503, "headers": {"A": "b\n"}}}, "pattern"),
        ({"fault": {"kind": "content_type", "value": "text\r\nhtml"}}, "pattern"),
        ({"fault": {"kind": "delay", "seconds": -1}}, "greater than or equal to 0"),
        ({"fault": {"kind": "no_wake"}}, "does not exist for neon"),
        ({"api": "aura", "fault": {"kind": "operation", "outcome": "never"}}, "for aura"),
        (
            {"api": "postgres", "match": "* *", "fault": {"kind": "truncate", "bytes": 1}},
            "postgres",
        ),
        ({"api": "postgres", "match": "* *", "fault": {"kind": "refuse"}}, "HOST connect"),
        ({"api": "postgres", "match": "* connect", "fault": {"kind": "die"}}, "HOST STATEMENT"),
        ({"count": 0}, "greater than or equal to 1"),
        ({"probability": 0}, "greater than 0"),
        ({"nth": [1], "skip": 2}, "nth stands for"),
        ({"often": True}, "Extra inputs"),
    ],
)
def test_an_order_that_could_not_take_effect_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        order(**fields)


def test_a_record_becomes_one_order_for_each_that_left_it() -> None:
    record = Record.model_validate(
        {
            "injected": [
                {"number": 1, "order": 4, "api": "neon", "match": "* /**", "nth": 3, "fault": DROP},
                {
                    "number": 2,
                    "order": 2,
                    "api": "neon",
                    "match": "GET /a",
                    "nth": 1,
                    "fault": DROP,
                },
                {"number": 3, "order": 4, "api": "neon", "match": "* /**", "nth": 7, "fault": DROP},
            ]
        }
    )
    assert [(each.match, each.nth) for each in record.orders()] == [
        ("GET /a", [1]),
        ("* /**", [3, 7]),
    ]


def test_an_entry_that_no_order_can_have_left_is_refused() -> None:
    entry = {"order": 1, "api": "neon", "match": "bad", "nth": 1, "fault": DROP}
    with pytest.raises(ValidationError, match="METHOD /path"):
        Record.model_validate({"injected": [entry]}).orders()
