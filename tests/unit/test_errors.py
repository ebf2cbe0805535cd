import pickle
from pathlib import Path

import pytest

from tenantry.errors import TenantryError, marked, unmarked


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
