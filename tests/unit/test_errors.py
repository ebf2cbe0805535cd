import pickle
from pathlib import Path

import pytest

from tenantry.errors import TenantryError, did_you_mean, marked, shown, unmarked


class _PassingError(TenantryError):
    may_pass = True


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TenantryError("all in one"), "all in one"),
        (TenantryError("is gone", place="tenants.yaml"), "tenants.yaml: is gone"),
        (TenantryError("is gone", way_out="make it"), "is gone: make it"),
        (
            TenantryError("is gone", place="tenants.yaml", way_out="make it"),
            "tenants.yaml: is gone: make it",
        ),
    ],
)
def test_a_text_is_made_of_the_parts_that_there_are(error: TenantryError, text: str) -> None:
    assert str(error) == text


def test_a_failure_keeps_its_parts_across_processes() -> None:
    error = pickle.loads(pickle.dumps(TenantryError("is gone", place="here", way_out="make it")))
    assert (error.place, error.reason, error.way_out) == ("here", "is gone", "make it")


def test_the_mark_comes_back_as_what_it_said() -> None:
    assert unmarked(marked(_PassingError("503"))) == ("503", True)
    assert unmarked(marked(TenantryError("401"))) == ("401", False)


def test_a_list_may_pass_where_each_of_it_may() -> None:
    mark = marked(_PassingError("one")).removeprefix("one")
    both = f"2 errors occurred:\n\t* one{mark}\n\t* two{mark}\n\n"
    assert unmarked(both) == (both.replace(mark, ""), True)
    assert not unmarked(f"2 errors occurred:\n\t* one{mark}\n\t* two\n\n")[1]


def test_the_plugins_write_the_same_mark() -> None:
    mark = marked(_PassingError(""))
    file = Path(__file__).parents[2] / "toolchain/internal/passing/passing.go"
    assert f'const mark = "{mark}"' in file.read_text()


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
