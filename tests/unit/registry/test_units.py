from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.registry.units import (
    BYTES,
    MILLISECONDS,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_duration_survives_writing_and_reading(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_size_survives_writing_and_reading(kilobytes: int) -> None:
    assert parse_size(format_size(kilobytes * 1024)) == kilobytes * 1024


@given(st.integers(0, 10**12 - 1), st.sampled_from(sorted(MILLISECONDS)))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * MILLISECONDS[unit]


@given(st.integers(0, 10**12 - 1), st.sampled_from(sorted(BYTES)))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * BYTES[unit]


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("6h", 21_600_000), ("1w", 604_800_000)],
)
def test_durations_as_people_write_them(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds
    assert format_duration(milliseconds) == text


@pytest.mark.parametrize(
    "text", ["", "s", "1", "-1s", "1.5s", "1s ", "1 s", "1S", "٣s", "1h30m", "9" * 13 + "s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a whole number and a unit"):
        parse_duration(text)


def complaint(parse: Callable[[str], int], text: str) -> str:
    try:
        return "" if parse(text) >= 0 else "negative"
    except ValueError as error:
        return str(error)


@given(st.text(), st.sampled_from([parse_duration, parse_size]))
def test_no_text_breaks_the_parsers_in_another_way(text: str, parse: Callable[[str], int]) -> None:
    said = complaint(parse, text)
    assert not said or "write a whole number and a unit" in said


def test_the_nearest_right_form_is_proposed() -> None:
    with pytest.raises(ValueError, match=r'did you mean "8GB"\?'):
        parse_size("8 gb")


def test_zero_is_written_with_a_unit() -> None:
    assert (format_duration(0), format_size(0)) == ("0s", "0kB")
