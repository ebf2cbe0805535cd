import io

from tenantry.fleet.events import (
    Begun,
    Finished,
    Noted,
    Progress,
    Result,
    Started,
    Summary,
    Waiting,
    as_json,
)
from tenantry.fleet.telling import Teller

RESULTS = (
    Result("acme/web", "acme--web", "applied", 3.14, 1, {"create": 26}),
    Result("acme/lab", "acme--lab", "failed", 9.0, 3, {"create": 2}, reason="Neon answered 503"),
    Result("acme/old", "acme--old", "not started"),
)


def told(*events: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with Teller(out, err) as teller:
        for event in events:
            teller(event)  # type: ignore[arg-type]
    return out.getvalue(), err.getvalue()


def test_results_go_to_one_stream_and_all_else_to_the_other() -> None:
    out, err = told(
        Begun("up", 3, 7, 2, ("acme/old leaves",)),
        Started("acme/web", "acme--web", 1),
        Progress("acme/web", "create", "Project acme/web", False),
        Noted("acme/web", "settled: a lock"),
        Finished(RESULTS[0], 2, 6.2),
        Waiting("acme/lab", 5.4, "Neon answered 503"),
        Finished(RESULTS[1], 1, 3.0),
        Finished(RESULTS[2], 0, None),
        Summary("up", RESULTS, 7, 12.34, "runs/1.json"),
    )
    assert out.splitlines() == [
        "1/3 acme/web  applied  3.1 s  26 create",
        "2/3 acme/lab  failed  9.0 s  3 attempts  2 create: Neon answered 503",
        "3/3 acme/old  not started",
        "up: 1 applied, 1 failed, 1 not started, 7 unchanged; 12.3 s",
    ]
    assert err.splitlines() == [
        "acme/old leaves",
        "up: 3 apps, 2 at once; 7 unchanged",
        "acme/web: settled: a lock",
        "acme/lab: again in 5 s: Neon answered 503",
        "failed: acme/lab: Neon answered 503",
        "left: acme/old",
        "record: runs/1.json",
    ]


def test_where_nothing_was_to_be_done_one_line_says_so() -> None:
    out, err = told(Summary("up", (), 1000, 0.04, notes=("stack a--b holds no app",)))
    assert out == "up: 1000 unchanged\n"
    assert err == "stack a--b holds no app\n"


def test_an_event_is_one_json_object() -> None:
    event = as_json(Finished(RESULTS[0], 2, 6.2))
    assert event["event"] == "finished"
    assert event["result"]["changes"] == {"create": 26}
    assert event["left"] == 2
