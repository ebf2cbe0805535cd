from __future__ import annotations

import argparse
from typing import Any

import pytest

from localcloud.faults.command import FaultError, add_fault_options, order
from localcloud.faults.orders import Order


def asked(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_fault_options(parser)
    return order(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--status", "503"], {"kind": "status", "status": 503}),
        (
            [
                "--status",
                "429",
                "--header",
                "Retry-After: 1",
                "--body",
                '{"a": 1}',
                "--when",
                "after",
            ],
            {
                "kind": "status",
                "status": 429,
                "headers": {"Retry-After": "1"},
                "body": {"a": 1},
                "when": "after",
            },
        ),
        (["--delay", "0"], {"kind": "delay", "seconds": 0.0}),
        (["--drop"], {"kind": "drop", "when": "before"}),
        (["--drop", "after"], {"kind": "drop", "when": "after"}),
        (
            ["--hold", "after", "--then", "drop"],
            {"kind": "hold", "when": "after", "then": "drop"},
        ),
        (["--truncate", "0"], {"kind": "truncate", "bytes": 0}),
        (["--drip", "5"], {"kind": "drip", "seconds": 5.0}),
        (["--content-type", "text/html"], {"kind": "content_type", "value": "text/html"}),
        (
            ["--operation", "failed", "--action", "start_compute", "--reason", "no room"],
            {
                "kind": "operation",
                "outcome": "failed",
                "action": "start_compute",
                "reason": "no room",
            },
        ),
    ],
)
def test_options_become_an_order_that_the_api_takes(
    options: list[str], fault: dict[str, Any]
) -> None:
    made = asked("POST /projects", *options)
    assert made == {"match": "POST /projects", "api": "neon", "fault": fault}
    Order.model_validate(made)


@pytest.mark.parametrize("kind", ["no-wake", "refuse", "too-many-connections", "die"])
def test_what_is_no_path_is_about_postgres(kind: str) -> None:
    made = asked("* alter role*" if kind == "die" else "ep-1 connect", f"--{kind}")
    assert (made["api"], made["fault"]) == ("postgres", {"kind": kind.replace("-", "_")})
    Order.model_validate(made)


def test_which_requests_are_meant() -> None:
    options = ["--api", "aura", "--skip", "2", "--probability", "0.5", "--seed", "0"]
    made = asked("* /instances/*", "--drop", "--count", "all", *options)
    assert Order.model_validate(made).count is None
    assert {name: value for name, value in made.items() if name not in {"fault", "match"}} == {
        "api": "aura",
        "skip": 2,
        "count": None,
        "probability": 0.5,
        "seed": 0,
    }


def test_an_option_of_another_fault_is_refused() -> None:
    with pytest.raises(FaultError, match="--body does not belong to --drop"):
        asked("GET /x", "--drop", "--body", "1")


@pytest.mark.parametrize(
    "options",
    [
        ["--count", "some", "--drop"],
        ["--header", "x", "--status", "500"],
        ["--body", "{", "--status", "500"],
        ["--drop", "--die"],
    ],
)
def test_an_option_that_cannot_be_is_refused(options: list[str]) -> None:
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        asked("GET /x", *options)
