from tests.unit.planning.support import (
    APP,
    CATALOG,
    END,
    PROJECT,
    ROLE,
    app,
    application,
    run_of,
    said,
    step,
    urn,
)


def test_a_replacement_is_one_step() -> None:
    run = run_of(step("replace", PROJECT, "acme/web", old={"a": 1}, new={"a": 2}))
    (found,) = run.resources
    assert found.operation == "replace"
    assert found.old is not None
    assert found.new is not None
    assert (found.old.inputs, found.new.inputs) == ({"a": 1}, {"a": 2})


def test_the_outputs_of_a_component_are_those_at_its_end() -> None:
    run = run_of(application(None, app()))
    (found,) = run.apps
    assert found.type == APP
    assert found.new is not None
    assert found.new.outputs["app"] == "acme/web"


def test_a_resource_belongs_to_the_app_that_its_name_begins_with() -> None:
    run = run_of(
        step("same", ROLE, "acme/web/a", old={}, new={}),
        step("same", CATALOG, "catalog", old={}, new={}),
    )
    assert {each.name: each.app for each in run.resources} == {
        "acme/web/a": "acme/web",
        "catalog": None,
    }


def test_what_a_refresh_finds_is_its_result() -> None:
    pre = {"resourcePreEvent": {"metadata": _facts("refresh", {"a": 1}, {})}}
    changed = {"resOutputsEvent": {"metadata": _facts("update", {"a": 1}, {"a": 2})}}
    gone = {"resOutputsEvent": {"metadata": _facts("delete", {"a": 1}, None)}}
    (found,) = run_of([pre, changed]).resources
    assert found.operation == "update"
    assert found.new is not None
    assert found.new.inputs == {"a": 2}
    (found,) = run_of([pre, gone]).resources
    assert (found.operation, found.new) == ("delete", None)
    (found,) = run_of([pre, {"resOutputsEvent": {"metadata": _facts("refresh", {}, {})}}]).resources
    assert found.operation == "same"


def test_after_a_refresh_what_is_done_counts() -> None:
    pre = {"resourcePreEvent": {"metadata": _facts("refresh", {"a": 2}, {})}}
    found = {"resOutputsEvent": {"metadata": _facts("update", {"a": 1}, {"a": 2})}}
    done = {"resourcePreEvent": {"metadata": _facts("same", {"a": 2}, {"a": 2})}}
    (only,) = run_of([pre, found, done]).resources
    assert only.operation == "same"


def test_what_the_engine_adds_to_the_programs_words_is_left_out() -> None:
    run = run_of(
        [
            said("debug", "registering"),
            said("warning", "mind this"),
            said("warning", "mind this"),
            said("error", "acme/web is gone"),
            END,
        ],
        stack="prod",
        result="failed",
    )
    assert (run.warnings, run.errors) == (("mind this",), ("acme/web is gone",))
    assert (run.succeeded, run.broken, run.stack) == (False, False, "prod")


def test_a_failure_that_nobody_judged_is_the_engines() -> None:
    assert run_of([said("error", "a plugin exited prematurely")]).broken
    refused = said("error", "would take back r2")
    refused["diagnosticEvent"]["urn"] = urn(ROLE, "acme/web/a")
    assert not run_of([refused]).broken


def test_the_stack_is_that_of_its_resources() -> None:
    assert (
        run_of(step("same", CATALOG, "catalog", old={}, new={}, stack="acme--web")).stack
        == "acme--web"
    )


def _facts(operation: str, old: dict[str, int], new: dict[str, int] | None) -> dict[str, object]:
    return {
        "op": operation,
        "urn": urn(ROLE, "acme/web/a"),
        "type": ROLE,
        "old": {"custom": True, "inputs": old},
        "new": None if new is None else {"custom": True, "inputs": new},
    }
