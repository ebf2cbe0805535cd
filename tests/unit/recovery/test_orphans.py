"""Orphans: what no state holds, whatever the shape of the states."""

from datetime import UTC, datetime

from tenantry.clouds.cloud import Held, Live, Seen
from tenantry.clouds.neon import NEON, PROJECT
from tenantry.recovery.judging import Declared
from tenantry.recovery.orphans import orphans
from tenantry.states.state import Pending, StackState

NOW = datetime.now(UTC)
WEB, API = (Held(f"acme/{app}", f"t--acme--{app}", id=f"p-{app}") for app in ("web", "api"))
LIVE = [Live(each.id, each.name, "") for each in (WEB, API)]
OLD = Live("p-old", "t--acme--old", "")


def state(stack: str, *projects: Held, pending: tuple[Pending, ...] = ()) -> StackState:
    return StackState(stack, NOW, held={"neon": projects}, pending=pending)


def found(*states: StackState, live: list[Live] | None = None, again: str = "up") -> list[str]:
    cloud = Seen(NEON, LIVE if live is None else live)
    declared = {("neon", WEB.name): Declared(WEB, "delete")}
    return [
        f"{each.kind} {each.subject}: {each.command}"
        for each in orphans(states, seen=[cloud], declared=declared, again=again)
    ]


def test_one_stack_with_all_apps_and_a_stack_for_each_are_the_same() -> None:
    assert found(state("dev", WEB, API)) == []
    assert found(state("acme--web", WEB), state("acme--api", API)) == []
    assert found(state("dev", WEB), state("acme--api", API)) == []


def test_what_no_state_holds_is_named_with_what_settles_it() -> None:
    assert found(state("acme--api", API), again="tenantry fleet up") == [
        "orphan acme/web: tenantry fleet up"
    ]
    assert found(state("dev", WEB, API), live=[*LIVE, OLD]) == [
        "orphan t--acme--old: tenantry project delete p-old --name t--acme--old"
    ]


def test_what_a_run_is_making_is_none() -> None:
    wanted = Held(WEB.target, WEB.name)
    making = Pending("urn::x", PROJECT, "creating", wanted)
    assert found(state("acme--web", pending=(making,)), state("acme--api", API)) == []


def test_two_of_one_name_in_two_stacks_of_a_fleet() -> None:
    twin = Live("p-twin", WEB.name, "")
    assert found(state("acme--web", WEB), state("acme--api", API), live=[*LIVE, twin]) == [
        "duplicate acme/web: tenantry project delete p-twin --name t--acme--web"
    ]
