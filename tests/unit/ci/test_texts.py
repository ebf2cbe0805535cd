import pytest

from tenantry.ci import texts
from tenantry.planning.drift import Difference, Drift
from tenantry.planning.markdown import LIMIT
from tenantry.planning.plan import Counts, FieldChange, Plan, Row
from tests.unit.planning.samples import MIXED, QUIET, REFUSED


def test_a_comment_has_its_mark_first_and_says_of_what_it_is() -> None:
    lines = texts.of_plan(MIXED, "prod", "a" * 40).splitlines()
    assert lines[0] == "<!-- tenantry:plan prod -->"
    assert lines[1].startswith("### Apps: 1 to delete")
    assert lines[-1] == (
        f"Stack `prod`, commit {'a' * 40}. What is above is applied as it is, or not at all."
    )
    assert texts.of_plan(QUIET, "prod", "").splitlines()[-1] == "Stack `prod`."
    assert "is applied" not in texts.of_plan(REFUSED, "prod", "")


def test_a_comment_fits_whatever_is_in_it() -> None:
    rows = tuple(
        Row(
            stack="prod",
            app=f"acme/app-{n}",
            action="update",
            resources=Counts(),
            changes=tuple(FieldChange(field=f"f{m}", old="ü" * 50, new="y") for m in range(30)),
        )
        for n in range(300)
    )
    text = texts.of_plan(Plan(summary=Counts(update=300), rows=rows), "prod", "a" * 40)
    assert len(text.encode()) <= LIMIT
    assert text.count("```") % 2 == 0
    problems = [f"tenants.yaml:{n}:1: {'x' * 5000}" for n in range(5000)]
    assert len(texts.of_problems(problems, "tenants.yaml", "prod").encode()) <= LIMIT


@pytest.mark.parametrize("stack", ["a --> b", "x`y`", "@org/team", "line\nbreak", "<b>"])
def test_no_name_of_a_stack_gets_out_of_its_place(stack: str) -> None:
    text = texts.of_plan(QUIET, stack, "not a hash @org")
    assert texts.MARK.fullmatch(text.splitlines()[0])
    shown = stack.replace("`", "'")
    assert f"Stack `{shown}`, commit `not a hash @org`." in text


def test_what_was_invalid_is_a_block_in_which_nothing_is_markdown() -> None:
    text = texts.of_problems(["```", "@org/team <img src=x>"], "tenants.yaml", "prod")
    assert text == (
        "<!-- tenantry:plan prod -->\n### tenants.yaml has 2 problems: nothing was planned.\n"
        "\n````text\n```\n@org/team <img src=x>\n````\n"
    )


def test_a_failure_is_said() -> None:
    text = texts.of_failure("pulumi preview: no stack named 'prod' found", "prod")
    assert "### The plan could not be made.\n\n```text\npulumi preview: no stack" in text


def test_drift_and_none() -> None:
    gone = Difference(stack="prod", app="a/b", kind="role", name="a/b/a", gone=True)
    some = texts.of_drift(Drift(compared=9, differences=(gone,)), "prod")
    assert some.startswith("<!-- tenantry:drift prod -->\n### Drift: 1 of 9 resources")
    assert "role a/b/a is gone" in some
    assert "`tenantry up -- --refresh` puts it back" in some
    none = texts.of_drift(Drift(compared=9, differences=()), "prod")
    assert none.startswith("<!-- tenantry:no-drift prod -->\n### No drift")
    assert "puts it back" not in none
