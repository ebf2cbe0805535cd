"""What a run is at, from events as the engine sends them."""

from typing import Any

import pytest

from tenantry.applying.converging import expected_of
from tenantry.running.events import Said, Step, Watch, Work
from tests.unit.planning.support import (
    APP,
    PROJECT,
    ROLE,
    app,
    application,
    run_of,
    said,
    step,
    urn,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def watched(
    *events: list[dict[str, Any]], expected: tuple[Work, ...] = ()
) -> tuple[Watch, list[Any]]:
    """What is told of these events, a second apart."""
    clock = Clock()
    watch = Watch(expected, clock)
    told = []
    for event in (each for part in events for each in part):
        told.append(watch.take(event))
        clock.now += 1
    return watch, [each for each in told if each is not None]


WEB = Work(urn(PROJECT, "acme/web"), PROJECT, "create")


def test_work_is_named_begun_and_done_with_its_time() -> None:
    watch, told = watched(
        application(None, app(), step("create", PROJECT, "acme/web", new={"name": "x"}))
    )
    assert told == [Step(WEB, "begun"), Step(WEB, "done", 1.0)]
    assert (WEB.kind, WEB.name, WEB.app) == ("Project", "acme/web", "acme/web")
    assert (watch.counts, watch.took, watch.in_flight) == ({"create": 1}, {WEB: 1.0}, [])
    assert watch.elapsed == 4


@pytest.mark.parametrize("operation", ["same", "read", "refresh"])
def test_what_changes_nothing_is_not_told(operation: str) -> None:
    assert watched(step(operation, PROJECT, "acme/web", old={}, new={}))[1] == []


def test_connections_and_components_are_not_told() -> None:
    provider = "pulumi:providers:postgresql"
    assert (
        watched(step("create", provider, "acme/web", new={}), step("create", APP, "a/b", new={}))[1]
        == []
    )


def test_a_replacement_is_a_deletion_and_a_create() -> None:
    events = step("replace", PROJECT, "acme/web", old={}, new={})
    events += [
        {"resOutputsEvent": {"metadata": each["resourcePreEvent"]["metadata"]}}
        for each in events
        if "resourcePreEvent" in each
    ]
    watch, told = watched(events)
    assert {(each.work.operation, each.state) for each in told} == {
        (operation, state) for operation in ("delete", "create") for state in ("begun", "done")
    }
    expected = expected_of(run_of(step("replace", PROJECT, "acme/web", old={}, new={})))
    assert [each.operation for each in expected] == ["delete", "create"]
    assert set(expected) == set(watch.took)


def test_what_fails_is_kept_and_left() -> None:
    begun = step("create", PROJECT, "acme/web", new={})[0]
    metadata = begun["resourcePreEvent"]["metadata"]
    role = Work(urn(ROLE, "acme/web/owner"), ROLE, "create")
    watch, told = watched(
        [begun, {"resOpFailedEvent": {"metadata": metadata}}], expected=(WEB, role)
    )
    assert told[-1] == Step(WEB, "failed", 1.0)
    assert (watch.failed, watch.left, watch.counts) == ([WEB], [WEB, role], {})


def test_a_preview_says_what_is_to_be_done() -> None:
    run = run_of(
        application(
            None,
            app(),
            step("create", PROJECT, "acme/web", new={}),
            step("same", ROLE, "acme/web/owner", old={}, new={}),
        )
    )
    assert expected_of(run) == (WEB,)
    assert expected_of(None) == ()


def test_errors_are_told_once_and_debug_never() -> None:
    watch, told = watched(
        [
            said("error", "acme/web is gone"),
            said("error", "an unhandled error occurred: acme/web is gone"),
            said("error", "update failed"),
            said("error", "update canceled"),
            said("warning", "look"),
            said("info#err", "printed"),
            said("debug", "secret"),
        ]
    )
    assert told == [
        Said("error", "acme/web is gone"),
        Said("warning", "look"),
        Said("info", "printed"),
    ]
    assert watch.errors == ["acme/web is gone"]
