import pytest

from tenantry.repository.changelog import between

TEXT = """\
# Changelog

## Unreleased

## [1.10.0] - 2026-12-01

- ten

## 1.9.0

### Added

- nine

## 1.0.0

- one
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("1.9.0", "1.10.0", ["ten"]),
        ("1.0.0", "1.10.0", ["ten", "nine"]),
        ("1.0.0", "1.9.0", ["nine"]),
        ("1.10.0", "1.10.0", []),
        ("0.1.0", "1.9.0", ["nine", "one"]),
    ],
)
def test_the_sections_between_two_versions(old: str, new: str, found: list[str]) -> None:
    said = between(TEXT, old, new)
    assert [each for each in ("ten", "nine", "one") if f"- {each}" in said] == found


def test_what_is_not_released_counts_where_it_says_something() -> None:
    assert between("## Unreleased\n\n- next\n\n## 1.0.0\n\n- one\n", "1.0.0", "1.0.0") == (
        "## Unreleased\n\n- next"
    )
    assert between(TEXT, "1.10.0", "1.10.0") == ""
