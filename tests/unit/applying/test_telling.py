"""What is read of a run."""

import json

import pytest

from tenantry.applying.telling import (
    Lines,
    Objects,
    Screen,
    clock,
    counts_text,
    left_lines,
    left_text,
)
from tenantry.running.events import Said, Step, Watch, Work
from tests.unit.planning.support import PROJECT, ROLE, urn

WEB = Work(urn(PROJECT, "acme/web"), PROJECT, "create")
ROLES = tuple(Work(urn(ROLE, f"acme/api/{name}"), ROLE, "update") for name in "abcde")


def test_without_a_terminal_there_is_a_line_for_each_thing_that_is_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Lines(Watch((WEB,), lambda: 3.0), lambda: 20.0) as teller:
        teller.tell(Step(WEB, "begun"))
        teller.tell(Step(WEB, "done", 2.5))
        teller.tell(Step(ROLES[0], "failed", 1.0))
        teller.tell(Said("error", "no rights"))
    out, err = capsys.readouterr()
    assert out == "0.0 s  created project acme/web (2.5 s; about 20 s left)\n"
    assert err == "0.0 s  failed updating role acme/api/a\nno rights\n"


def test_a_program_reads_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Objects(Watch((WEB,), lambda: 0.0), lambda: None) as teller:
        teller.tell(Step(WEB, "done", 2.5))
        teller.tell(Said("warning", "look"))
    step, said = map(json.loads, capsys.readouterr().out.splitlines())
    assert step == {
        "event": "step",
        "app": "acme/web",
        "operation": "create",
        "kind": "project",
        "name": "acme/web",
        "state": "done",
        "seconds": 2.5,
        "elapsed": 0.0,
        "remaining": None,
    }
    assert said == {"event": "said", "severity": "warning", "text": "look"}


def test_a_terminal_names_what_is_at_work_and_says_when_an_app_is_through(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    watch = Watch((WEB,), lambda: now[0])
    facts = {"op": "create", "urn": WEB.urn, "type": PROJECT, "new": {"custom": True}}
    with Screen(watch, lambda: 90.0) as teller:
        assert watch.take({"resourcePreEvent": {"metadata": facts}})
        now[0] = 65.0
        line = teller._line().plain
        done = watch.take({"resOutputsEvent": {"metadata": facts}})
        assert isinstance(done, Step)
        teller.tell(done)
    assert line == (
        "1 min 05 s  0 of 1  about 1 min 30 s left  creating project acme/web 1 min 05 s"
    )
    assert "1 min 05 s  acme/web: done" in capsys.readouterr().err


def test_what_is_left_is_said_by_app() -> None:
    assert left_lines(Watch((WEB, *ROLES))) == [
        "left: acme/api: update role acme/api/a, update role acme/api/b, update role acme/api/c and 2 more",
        "left: acme/web: create project acme/web",
    ]


def test_words() -> None:
    assert [clock(each) for each in (0, 9.96, 59.4, 61)] == [
        "0.0 s",
        "10.0 s",
        "59 s",
        "1 min 01 s",
    ]
    assert left_text(None) == ""
    assert left_text(0.2) == "about 1 s left"
    assert counts_text({"delete": 1, "create": 26}) == "26 created, 1 deleted"
    assert counts_text({}) == "nothing to change"
