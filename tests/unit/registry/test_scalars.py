import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry.scalars import EMPTY, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", EMPTY),
        ("~", EMPTY),
        ("", EMPTY),
        ("12", 12),
        ("-1", -1),
        ("+1", 1),
        ("0", 0),
        ("017", "017"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0.25", 0.25),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        ("9" * 308, int("9" * 308)),
        ("9" * 309, "9" * 309),
        ("00.5", "00.5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2027-06-30", "2027-06-30"),
        ("t", "t"),
        ("nope", "nope"),
        ("٣", "٣"),
    ],
)
def test_plain_scalars_follow_yaml_1_2_and_nothing_older(text: str, value: object) -> None:
    resolved = resolve(text)
    assert resolved == value
    assert type(resolved) is type(value)


@given(st.text())
def test_every_scalar_stands_for_something(text: str) -> None:
    assert resolve(text) is EMPTY or isinstance(resolve(text), str | int | float | bool)
