import pytest

from tenantry.planning.drift import drift_of
from tenantry.planning.errors import PlanError
from tests.unit.planning.support import (
    EXTENSION,
    PROJECT,
    ROLE,
    Event,
    app,
    application,
    run_of,
    said,
    step,
    urn,
)


def found(
    type_: str, name: str, old: dict[str, object], new: dict[str, object] | None
) -> list[Event]:
    """What a refresh says of one resource."""
    facts = {"urn": urn(type_, name), "type": type_, "old": {"custom": True, "inputs": old}}
    after = None if new is None else {"custom": True, "inputs": new}
    result = "same" if new == old else "delete" if new is None else "update"
    return [
        {
            "resourcePreEvent": {
                "metadata": facts | {"op": "refresh", "new": {"custom": True, "inputs": {}}}
            }
        },
        {"resOutputsEvent": {"metadata": facts | {"op": result, "new": after}}},
    ]


def test_what_differs_is_told_and_nothing_else() -> None:
    drift = drift_of(
        [
            run_of(
                found(ROLE, "acme/web/a", {"limit": 1, "x": 1}, {"limit": 9, "x": 1}),
                found(EXTENSION, "acme/web/citext", {"name": "citext"}, None),
                found(PROJECT, "acme/web", {"name": "x"}, {"name": "x"}),
            )
        ]
    )
    assert [each.text for each in drift.differences] == [
        "extension acme/web/citext is gone",
        "role acme/web/a: limit: 1 → 9",
    ]
    assert (drift.compared, drift.exit_code) == (3, 3)


def test_an_edit_of_the_registry_is_no_drift() -> None:
    drift = drift_of(
        [run_of(application(app(), app(contact="x"), found(PROJECT, "acme/web", {}, {})))]
    )
    assert (drift.differences, drift.exit_code) == ((), 0)


def test_a_failed_look_is_no_answer() -> None:
    with pytest.raises(PlanError, match="no answer"):
        drift_of(
            [
                run_of(
                    [said("error", "acme/web: no answer")],
                    step("same", PROJECT, "a/b", old={}, new={}),
                )
            ]
        )
