from pathlib import Path

import pytest

from tenantry.planning.errors import PlanError
from tenantry.planning.keeping import is_applied, moved, read_plan, write_plan
from tenantry.planning.making import plan_of
from tenantry.planning.plan import Plan
from tenantry.registry.models import App
from tests.unit.planning.support import PROJECT, ROLE, Event, app, application, plan, run_of, step

WEB, API = app(), app("acme/api")
BIGGER = app(database={"compute": {"max_cu": 4}})


def web(after: App = BIGGER, **old: int) -> list[Event]:
    resource = step("update", PROJECT, "acme/web", old={"cu": 2, **old}, new={"cu": 4})
    return application(WEB, after, resource)


def api() -> list[Event]:
    return application(API, API, step("same", PROJECT, "acme/api", old={}, new={}))


REVIEWED = plan(web(), api())


def test_a_plan_that_is_read_is_the_one_that_was_kept(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_plan(REVIEWED, file)
    assert read_plan(file) == REVIEWED
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_nothing_moved() -> None:
    assert moved(REVIEWED, plan(api(), web())) == []


def test_the_registry_moved() -> None:
    other = app(database={"compute": {"max_cu": 8}})
    assert moved(REVIEWED, plan(web(other), api())) == [
        "registry: acme/web is declared otherwise than it was reviewed"
    ]


def test_the_selection_moved() -> None:
    one_less = plan(web())
    assert moved(REVIEWED, one_less)[0] == "selection: acme/api was selected then, and is not now"
    assert moved(one_less, REVIEWED)[0] == "selection: acme/api was not selected then, and is now"


def test_the_program_moved() -> None:
    other = plan_of([run_of(web(), api())], program="another")
    assert moved(REVIEWED, other) == [
        "program: the code or a package that it is built on is another"
    ]


def test_the_state_moved() -> None:
    assert moved(REVIEWED, plan(web(limit=1), api())) == [
        "state: acme/web was changed by a run since"
    ]


def test_what_is_applied_leaves_nothing_to_do() -> None:
    done = plan(application(BIGGER, BIGGER), api())
    assert moved(REVIEWED, done)
    assert is_applied(REVIEWED, done)
    assert not is_applied(REVIEWED, REVIEWED)
    assert not is_applied(REVIEWED, plan(application(WEB, WEB), api()))
    assert not is_applied(REVIEWED, plan(application(BIGGER, BIGGER)))
    program = plan_of([run_of(application(BIGGER, BIGGER), api())], program="another")
    assert not is_applied(REVIEWED, program)


def test_what_would_be_done_moved_alone() -> None:
    more = step("create", ROLE, "acme/web/b", new={})
    (line,) = moved(REVIEWED, plan([*web(), *more], api()))
    assert line.startswith("changes: what would be done to acme/web is not what was reviewed")


def test_all_that_moved_is_said_at_once() -> None:
    other = app(database={"compute": {"max_cu": 8}})
    now = plan_of([run_of(web(other, limit=1), application(None, app("b/b")))], program="another")
    assert [line.partition(":")[0] for line in moved(REVIEWED, now)] == [
        "selection",
        "selection",
        "registry",
        "program",
        "state",
    ]


def test_a_plan_of_another_stack_is_refused() -> None:
    now = plan_of([run_of(application(WEB, WEB, stack="prod"))], program="p")
    assert moved(REVIEWED, now) == ["stack: the plan is of dev, and this run is of prod"]


@pytest.mark.parametrize(
    ("was", "becomes"), [('"new": "4"', '"new": "8"'), ('"version": 1', '"version": 2'), ("{", "[")]
)
def test_a_file_that_was_edited_is_refused(tmp_path: Path, was: str, becomes: str) -> None:
    file = tmp_path / "plan.json"
    write_plan(REVIEWED, file)
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes, 1))
    with pytest.raises(PlanError, match=r"plan\.json: (was changed|is no plan)"):
        read_plan(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none.json")
    with pytest.raises(PlanError, match="cannot be written"):
        write_plan(Plan(summary=REVIEWED.summary, rows=()), tmp_path / "none" / "plan.json")
