from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantry.clouds.aura import AURA
from tenantry.clouds.cloud import Held, Live, Seen
from tenantry.clouds.neon import NEON, PROJECT
from tenantry.recovery.judging import Declared, Facts, Finding, judge
from tenantry.states.locks import Lock, Owner
from tenantry.states.state import Pending, StackState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = {"region": "aws-us-east-2", "PostgreSQL": "17"}
WEB = Held("acme/web", "t--acme--web", "p-1", "org", PLACE)
GRAPH = Held("acme/web", "t--acme--web", "g-1", "aura")
ASKED = replace(WEB, id="")
ASKED_GRAPH = replace(GRAPH, id="")


def live(id_: str = "p-1", *, minutes: int = 60, place: Mapping[str, str] = PLACE) -> Live:
    return Live(id_, "t--acme--web", "org", NOW - timedelta(minutes=minutes), place)


def state(
    *,
    stack: str = "dev",
    minutes: float = 10,
    projects: tuple[Held, ...] = (),
    instances: tuple[Held, ...] = (),
    pending: tuple[Pending, ...] = (),
) -> StackState:
    held = {"neon": projects, "aura": instances}
    return StackState(stack, NOW - timedelta(minutes=minutes), held=held, pending=pending)


def creating(wanted: Held | None, kind: str = PROJECT) -> Pending:
    return Pending(f"urn:pulumi:dev::tenantry::{kind}::acme/web", kind, "creating", wanted)


def found(facts: Facts) -> Finding:
    (finding,) = judge(facts)
    return finding


def neon(*projects: Live, missing: frozenset[str] = frozenset()) -> Seen:
    return Seen(NEON, projects, missing)


def aura(*instances: Live, missing: frozenset[str] = frozenset()) -> Seen:
    return Seen(AURA, instances, missing)


def test_what_agrees_is_not_spoken_of() -> None:
    held = state(projects=(WEB,), instances=(GRAPH,))
    graph = Live("g-1", "t--acme--web", "aura")
    assert judge(Facts("dev", [held], seen=[neon(live()), aura(graph)], now=NOW)) == []


@pytest.mark.parametrize(
    ("owner", "said", "command", "fix"),
    [
        ("alive", "a run is at work: wait until it ends, as tenantry up --wait 10m does", "", None),
        ("dead", "that is dead", "tenantry doctor --fix", "delete lock"),
        ("elsewhere", "delete this one lock in the backend: key", "", None),
        ("unknown", "delete this one lock in the backend: key", "", None),
    ],
)
def test_a_lock_is_told_with_its_owner(
    owner: Owner, said: str, command: str, fix: str | None
) -> None:
    lock = Lock("key", "dev", "ann", "build-7", 4711, NOW - timedelta(minutes=5), owner)
    finding = found(Facts("dev", [state()], [lock], now=NOW))
    assert said in finding.text
    assert (finding.command, finding.fix, finding.blocks) == (command, fix, True)
    if owner != "unknown":
        assert "ann@build-7 (pid 4711) for 5 min" in finding.text


def test_a_lock_of_another_stack_is_told_with_that_stack() -> None:
    lock = Lock("key", "prod", "ann", "build-7", 1, NOW, "elsewhere")
    told = str(found(Facts("dev", [state()], [lock], now=NOW)))
    assert told.startswith("lock [prod] prod: held by ann@build-7 (pid 1)")


def test_what_a_live_run_does_is_not_judged() -> None:
    held = state(projects=(replace(WEB, id="p-0"),), pending=(creating(ASKED),))
    lock = Lock("key", "dev", "ann", "here", 1, NOW, "alive")
    cloud = neon(live(), missing=frozenset({"p-0"}))
    assert [each.kind for each in judge(Facts("dev", [held], [lock], seen=[cloud], now=NOW))] == [
        "lock"
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("random:index/randomPassword:RandomPassword", "nothing of it is in a cloud"),
        ("pulumi:providers:postgresql", "nothing of it is in a cloud"),
        ("postgresql:index/role:Role", "looks for it by its name"),
        ("neon:index/branch:Branch", "looks for it by its name"),
        ("pulumi-python:dynamic/tenantry:ApiKey", "looks for it by its name"),
    ],
)
def test_a_create_that_finds_what_it_made_is_explained_without_the_cloud(
    kind: str, said: str
) -> None:
    finding = found(Facts("dev", [state(pending=(creating(None, kind),))], now=NOW))
    assert said in finding.text
    assert (finding.fix, finding.blocks) == ("drop pending", False)


@pytest.mark.parametrize("operation", ["updating", "deleting", "reading", "importing"])
def test_every_other_operation_is_done_again(operation: str) -> None:
    pending = replace(creating(WEB), operation=operation)
    finding = found(Facts("dev", [state(pending=(pending,))], now=NOW))
    assert f"cut off while {operation}: the next run does it again" in finding.text
    assert (finding.fix, finding.blocks) == ("drop pending", False)


def test_a_create_of_an_unknown_kind_stops_a_run() -> None:
    finding = found(
        Facts("dev", [state(pending=(creating(None, "aws:s3/bucket:Bucket"),))], now=NOW)
    )
    assert (finding.fix, finding.blocks) == (None, True)
    assert finding.command == "pulumi refresh --clear-pending-creates"


def test_a_create_that_was_cut_off_twice_is_told_once() -> None:
    twice = state(pending=(creating(ASKED), creating(ASKED)))
    assert found(Facts("dev", [twice], seen=[neon(live())], now=NOW)).blocks is False


def pending(asked: Held, cloud: Seen, *others: StackState, minutes: float = 10) -> Finding:
    kind = cloud.cloud.type
    mine = state(minutes=minutes, pending=(creating(asked, kind),))
    facts = Facts("dev", [mine, *others], seen=[cloud], now=NOW)
    (finding,) = [each for each in judge(facts) if each.kind == "pending"]
    return finding


@pytest.mark.parametrize(("asked", "cloud"), [(ASKED, neon()), (ASKED_GRAPH, aura())])
def test_a_create_that_the_cloud_does_not_show_did_not_happen_once_a_minute_is_over(
    asked: Held, cloud: Seen
) -> None:
    late = pending(asked, cloud)
    assert "it did not happen" in late.text
    assert late.fix == "drop pending"
    early = pending(asked, cloud, minutes=0.5)
    assert "may still land for 30 s" in early.text
    assert (early.fix, early.blocks, early.wait) == (None, True, 30.0)


def test_a_project_that_was_made_as_asked_is_taken_over_at_once() -> None:
    finding = pending(ASKED, neon(live()), minutes=0)
    assert (
        "p-1, made 2026-11-22 11:00:00 UTC, has this name, and the next run takes it over"
        in finding.text
    )
    assert (finding.fix, finding.blocks) == ("drop pending", False)


def test_a_project_that_differs_is_not() -> None:
    finding = pending(ASKED, neon(live(place={"region": "aws-eu-west-2", "PostgreSQL": "16"})))
    assert (
        "differs (region aws-eu-west-2, not aws-us-east-2, PostgreSQL 16, not 17)" in finding.text
    )
    assert (finding.fix, finding.blocks) == (None, True)
    assert finding.command == "tenantry project delete p-1 --name t--acme--web"


def test_two_projects_of_one_name_are_not_and_the_younger_one_is_named() -> None:
    finding = pending(ASKED, neon(live("p-2", minutes=1), live("p-1", minutes=2)))
    assert "the cloud has 2 projects of this name (p-1, " in finding.text
    assert finding.command == "tenantry project delete p-2 --name t--acme--web"
    assert finding.blocks


def test_beside_one_that_a_state_holds_the_other_is_named() -> None:
    finding = pending(
        ASKED,
        neon(live("p-1", minutes=1), live("p-2", minutes=2)),
        state(stack="dev", projects=(WEB,)),
    )
    assert finding.command == "tenantry project delete p-2 --name t--acme--web"


def test_one_that_the_stack_holds_was_made_and_one_of_another_stack_stops_the_run() -> None:
    mine = pending(ASKED, neon(live()), state(projects=(WEB,)))
    assert (mine.fix, mine.blocks) == ("drop pending", False)
    others = pending(ASKED, neon(live()), state(stack="prod", projects=(WEB,)))
    assert "stack prod holds project p-1" in others.text
    assert others.blocks


def test_a_graph_that_was_made_is_not_taken_over_since_its_password_is_lost() -> None:
    finding = pending(ASKED_GRAPH, aura(Live("g-2", "t--acme--web", "aura")))
    assert "its password was lost with the answer" in finding.text
    assert finding.command == "tenantry graph delete g-2 --name t--acme--web"
    assert finding.blocks


def test_a_graph_that_is_to_be_taken_over_is() -> None:
    adopting = replace(ASKED_GRAPH, adopts="g-2")
    assert pending(adopting, aura(Live("g-2", "t--acme--web", "aura"))).fix == "drop pending"


def test_a_pending_create_of_another_stack_is_settled_there() -> None:
    other = state(stack="prod", pending=(creating(None, "random:index/randomId:RandomId"),))
    finding = found(Facts("dev", [state(), other], now=NOW))
    assert finding.command == "PULUMI_STACK=prod tenantry doctor --fix"


def test_the_operation_that_is_judged_is_no_orphan_too() -> None:
    mine = state(pending=(creating(ASKED),))
    assert [each.kind for each in judge(Facts("dev", [mine], seen=[neon(live())], now=NOW))] == [
        "pending"
    ]


def orphan(cloud: Seen, declared: Declared | None = None) -> Finding:
    names = {(cloud.cloud.name, "t--acme--web"): declared} if declared else {}
    return found(Facts("dev", [state()], seen=[cloud], declared=names, now=NOW))


@pytest.mark.parametrize(
    ("declared", "said", "command"),
    [
        (
            None,
            "the registry does not ask for it",
            "tenantry project delete p-1 --name t--acme--web",
        ),
        (Declared(ASKED, "protect"), "the next run takes it over", "tenantry up"),
        (
            Declared(replace(ASKED, place={"region": "aws-eu-west-2"}), "protect"),
            "is not what the registry asks for (region aws-us-east-2, not aws-eu-west-2)",
            "tenantry project delete p-1 --name t--acme--web --protected",
        ),
        (
            Declared(replace(ASKED, place={"PostgreSQL": "18"}), "delete"),
            "(PostgreSQL 17, not 18)",
            "tenantry project delete p-1 --name t--acme--web",
        ),
    ],
    ids=["not declared", "as declared", "protected and otherwise", "otherwise"],
)
def test_an_orphan_is_told_with_what_settles_it(
    declared: Declared | None, said: str, command: str
) -> None:
    finding = orphan(neon(live()), declared)
    assert (finding.kind, finding.command, finding.fix) == ("orphan", command, None)
    assert finding.blocks is (declared is not None and command != "tenantry up")
    assert said in finding.text


def test_an_orphaned_graph_is_deleted_unless_it_is_to_be_taken_over() -> None:
    instance = aura(Live("g-2", "t--acme--web", "aura"))
    assert orphan(instance).command == "tenantry graph delete g-2 --name t--acme--web"
    declared = Declared(ASKED_GRAPH, "protect")
    assert orphan(instance, declared).command == "tenantry graph delete g-2 --name t--acme--web"
    adopting = Declared(replace(ASKED_GRAPH, adopts="g-2"), "protect")
    assert orphan(instance, adopting).command == "tenantry up"


def test_a_duplicate_names_who_is_held_and_who_is_not() -> None:
    held = state(projects=(WEB,))
    facts = Facts("dev", [held], seen=[neon(live("p-1"), live("p-2", minutes=1))], now=NOW)
    finding = found(facts)
    assert finding.kind == "duplicate"
    assert "p-1 is held by dev, p-2, made" in finding.text
    assert finding.command == "tenantry project delete p-2 --name t--acme--web"


def test_what_is_gone_is_told_unless_its_deletion_was_cut_off() -> None:
    cloud = neon(missing=frozenset({"p-1"}))
    finding = found(Facts("dev", [state(projects=(WEB,))], seen=[cloud], now=NOW))
    assert (finding.kind, finding.command) == ("gone", "tenantry up -- --refresh")
    deleting = replace(creating(WEB), operation="deleting")
    both = state(projects=(WEB,), pending=(deleting,))
    assert [each.kind for each in judge(Facts("dev", [both], seen=[cloud], now=NOW))] == ["pending"]


def test_what_is_not_as_the_state_has_it_is_told_by_each_difference() -> None:
    moved = Live("p-1", "renamed", "other", NOW, {"region": "aws-us-east-2", "PostgreSQL": "18"})
    finding = found(Facts("dev", [state(projects=(WEB,))], seen=[neon(moved)], now=NOW))
    assert finding.kind == "differs"
    assert (
        "(PostgreSQL 18, not 17, account other, not org, name renamed, not t--acme--web)"
        in finding.text
    )


def test_a_finding_is_one_line_that_ends_in_its_command() -> None:
    finding = Finding("gone", "dev", "acme/web", "what is seen", "tenantry up")
    assert str(finding) == "gone [dev] acme/web: what is seen: tenantry up"
