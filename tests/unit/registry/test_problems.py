import pytest

from tenantry.registry.problems import Problem, RegistryError, did_you_mean, shown


def test_a_problem_is_one_line_with_file_line_column_and_path() -> None:
    problem = Problem("tenants.yaml", 3, 5, "tenants.acme", "is missing")
    assert str(problem) == "tenants.yaml:3:5: tenants.acme: is missing"


def test_a_problem_of_the_whole_file_has_no_line_and_no_path() -> None:
    assert (
        str(Problem("tenants.yaml", 0, 0, "", "does not exist")) == "tenants.yaml: does not exist"
    )


def test_an_error_holds_each_problem_once_in_the_order_of_the_file() -> None:
    first, second, tenth = (Problem("f", line, 1, "", "m") for line in (1, 2, 10))
    error = RegistryError([tenth, second, first, second])
    assert error.problems == (first, second, tenth)
    assert str(error).splitlines() == ["f:1:1: m", "f:2:1: m", "f:10:1: m"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("prod", "production"),
        ("PRODUCTION", "production"),
        ("prodution", "production"),
        ("xyz", None),
        ("p", None),
    ],
)
def test_the_nearest_choice_is_proposed(word: str, nearest: str | None) -> None:
    expected = f' (did you mean "{nearest}"?)' if nearest else ""
    assert did_you_mean(word, ["staging", "production"]) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        ("a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        ("é" * 61, '"' + "é" * 60 + '…"'),
        ({}, "a mapping"),
        ([], "a list"),
        (True, "true"),
        (5, "5"),
        (-(10**70), "-1" + "0" * 58 + "…"),
    ],
)
def test_values_are_shown_on_one_short_line(value: object, text: str) -> None:
    assert shown(value) == text
