"""What is left of a run, by what earlier ones took."""

from pathlib import Path

from tenantry.applying.times import FILE, Times
from tenantry.running.events import Watch, Work
from tests.unit.planning.support import PROJECT, ROLE, urn

WEB, API = (Work(urn(PROJECT, app), PROJECT, "create") for app in ("acme/web", "acme/api"))
ROLES = tuple(Work(urn(ROLE, f"acme/web/{name}"), ROLE, "create") for name in "ab")


def watch(*expected: Work, now: float = 0.0, **took: float) -> Watch:
    made = Watch(expected, lambda: now)
    made.took = {each: took[each.kind.lower()] for each in expected if each.kind.lower() in took}
    return made


def test_nothing_is_said_where_nothing_is_known_to_be_left() -> None:
    assert Times().remaining(watch()) is None
    assert Times().remaining(watch(WEB, project=1.0)) is None


def test_the_longest_app_counts() -> None:
    times = Times({f"{PROJECT} create": 4.0, f"{ROLE} create": 1.0})
    assert times.remaining(watch(WEB, API)) == 4.0
    assert times.remaining(watch(WEB, API, *ROLES)) == 6.0


def test_nothing_is_said_while_a_kind_of_work_was_never_measured() -> None:
    """A graph takes minutes in Aura and a second on a local cloud: without a measurement a number would be a guess."""
    times = Times({f"{PROJECT} create": 4.0})
    assert times.remaining(watch(WEB, *ROLES)) is None


def test_what_this_run_measured_counts_until_an_earlier_one_did() -> None:
    made = watch(WEB, API, *ROLES)
    made.took = {WEB: 3.0, ROLES[0]: 1.0}
    assert Times().remaining(made) == 3.0
    assert Times({f"{PROJECT} create": 4.0}).remaining(made) == 4.0


def test_graphs_become_ready_side_by_side() -> None:
    ready = "pulumi-python:dynamic/tenantry:AuraReady"
    graphs = [Work(urn(ready, f"acme/web/{user}"), ready, "create") for user in ("ada", "grace")]
    times = Times({f"{ready} create": 200.0, f"{PROJECT} create": 4.0})
    assert times.remaining(watch(WEB, *graphs)) == 200.0


def test_what_is_at_work_counts_for_what_is_left_of_it() -> None:
    clock = [0.0]
    made = Watch((WEB,), lambda: clock[0])
    made.take(
        {
            "resourcePreEvent": {
                "metadata": {
                    "op": "create",
                    "urn": WEB.urn,
                    "type": PROJECT,
                    "new": {"custom": True},
                }
            }
        }
    )
    times = Times({f"{PROJECT} create": 4.0})
    for now, left in ((1.0, 3.0), (3.0, 1.0), (9.0, 0.0)):
        clock[0] = now
        assert times.remaining(made) == left


def test_runs_are_learnt_from_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / ".tenantry"
    times = Times.read(folder)
    clock = [0.0]
    made = Watch((WEB, *ROLES), lambda: clock[0])
    made.took = {WEB: 2.0, ROLES[0]: 1.0, ROLES[1]: 1.0}
    clock[0] = 2.0
    times.learn(made)
    times.write(folder)
    kept = Times.read(folder)
    assert kept == times
    # The roles went on at once: the run took half the sum.
    assert kept.pace == 0.75
    assert kept.remaining(watch(WEB, *ROLES)) == 3.0
    assert [each.name for each in folder.iterdir()] == [FILE]


def test_a_file_that_cannot_be_read_is_no_earlier_run(tmp_path: Path) -> None:
    for content in ("", "[]", '{"version": 9}', '{"version": 1, "seconds": {"a": "b"}, "pace": 1}'):
        (tmp_path / FILE).write_text(content)
        assert Times.read(tmp_path) == Times()
