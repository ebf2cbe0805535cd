from pathlib import Path

import pytest

from tenantry.fleet.errors import FleetError
from tenantry.fleet.outlook import Outlook
from tenantry.fleet.selection import Selection
from tenantry.fleet.standing import standings
from tenantry.registry import RegistryError, SelectionError
from tenantry.running.errors import EngineError
from tests.unit.fleet.support import Backend


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(tmp_path)


def fleet_of(backend: Backend, count: int) -> dict[str, str]:
    apps = {f"a{number}": "deletion: delete" for number in range(count)}
    backend.registry(apps)
    for name in apps:
        backend.applied(name)
    return apps


def purposes(outlook: Outlook) -> dict[str, str]:
    return {task.app: task.purpose for task in outlook.tasks}


def test_only_what_changed_since_its_last_success_is_to_be_done(backend: Backend) -> None:
    backend.registry({"web": "", "lab": ""})
    backend.applied("web")
    backend.applied("lab")
    assert backend.look().tasks == ()
    backend.registry({"web": "services: [auth]", "lab": "", "new": ""})
    outlook = backend.look()
    outlook.check()
    assert purposes(outlook) == {"acme/web": "update", "acme/new": "create"}
    assert [task.app for task in outlook.unchanged] == ["acme/lab"]
    assert purposes(backend.look(every=True)) == {
        "acme/web": "update",
        "acme/lab": "update",
        "acme/new": "create",
    }


def test_an_app_that_left_goes_as_it_was_applied_last(backend: Backend) -> None:
    backend.registry({"web": "", "lab": "deletion: delete"})
    backend.applied("web")
    backend.applied("lab")
    backend.registry({"web": ""})
    outlook = backend.look()
    outlook.check()
    assert purposes(outlook) == {"acme/lab": "remove"}
    assert "acme/lab leaves with 'deletion: delete'" in outlook.notes[0]
    assert [(each.app, each.standing) for each in standings(outlook)] == [
        ("acme/web", "applied"),
        ("acme/lab", "left"),
    ]


def test_a_protected_app_that_left_stops_the_run(backend: Backend) -> None:
    backend.registry({"web": "", "lab": ""})
    backend.applied("lab", deletion="protect")
    backend.registry({"web": ""})
    with pytest.raises(
        FleetError, match="acme/lab is gone, and was applied last with 'deletion: protect'"
    ):
        backend.look().check()
    # Apps that are selected go on: it is not one of them.
    backend.look(Selection(only=frozenset({"acme/web"}))).check()


def test_one_app_leaves_in_a_run_or_those_that_are_named(backend: Backend) -> None:
    apps = fleet_of(backend, 5)
    backend.registry({name: facts for name, facts in apps.items() if name not in {"a1", "a2"}})
    outlook = backend.look()
    with pytest.raises(FleetError, match=r"2 apps would leave, .*\(acme/a1, acme/a2\)"):
        outlook.check()
    backend.look(Selection(only=frozenset({"acme/a1"}))).check()
    with pytest.raises(FleetError):
        backend.look(allowed=["acme/a1"]).check()
    backend.look(allowed=["acme/a1", "acme/a2"]).check()


def test_an_app_that_is_replaced_counts_like_one_that_leaves(backend: Backend) -> None:
    apps = fleet_of(backend, 4)
    backend.registry(
        {
            **apps,
            "a1": "deletion: delete, region: aws-us-west-2",
            "a2": "deletion: delete, region: aws-us-west-2",
        }
    )
    outlook = backend.look()
    with pytest.raises(FleetError, match="2 apps would leave, be replaced"):
        outlook.check()


def test_one_run_never_takes_more_than_a_tenth_of_a_fleet(backend: Backend) -> None:
    apps = fleet_of(backend, 30)
    gone = [f"a{number}" for number in range(4)]
    names = [f"acme/{name}" for name in gone]
    backend.registry({name: facts for name, facts in apps.items() if name not in gone})
    with pytest.raises(FleetError, match="4 of the fleet's 30 apps would leave"):
        backend.look(allowed=names).check()
    backend.look(Selection(only=frozenset(names[:3])), allowed=names).check()


def test_a_registry_may_let_less_of_a_fleet_go(backend: Backend) -> None:
    apps = fleet_of(backend, 40)
    gone = {"acme/a1", "acme/a2", "acme/a3"}
    left = {name: facts for name, facts in apps.items() if f"acme/{name}" not in gone}
    backend.registry(left)
    backend.look(allowed=gone).check()
    backend.registry(left, "{removals: 5%}")
    with pytest.raises(
        FleetError, match=r"3 of the fleet's 40 apps .*, and one run takes 2 .5%. at most"
    ):
        backend.look(allowed=gone).check()
    some = frozenset({"acme/a1", "acme/a2"})
    backend.look(Selection(only=some), allowed=some).check()
    backend.registry(left, "{removals: 0%}")
    one = Selection(only=frozenset({"acme/a1"}))
    with pytest.raises(FleetError, match=r"1 app would leave, .*allow it by name"):
        backend.look(one).check()
    backend.look(one, allowed=["acme/a1"]).check()


def test_a_destroy_names_its_only_app_where_the_registry_wants_it(backend: Backend) -> None:
    facts = fleet_of(backend, 1)
    assert len(backend.fleet().going(Selection()).tasks) == 1
    backend.registry(facts, "{removals: 0%}")
    with pytest.raises(FleetError, match="1 app would be destroyed"):
        backend.fleet().going(Selection())
    named = Selection(only=frozenset({"acme/a0"}))
    assert len(backend.fleet().going(named).tasks) == 1


def test_an_empty_registry_removes_nothing(backend: Backend) -> None:
    fleet_of(backend, 1)
    backend.registry({})
    with pytest.raises(FleetError, match="the registry has no app"):
        backend.look().check()
    backend.look(allowed=["acme/a0"]).check()


def test_a_registry_that_was_cut_short_removes_nothing(backend: Backend) -> None:
    fleet_of(backend, 40)
    file = backend.folder / "tenants.yaml"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:20]))
    with pytest.raises(FleetError, match="apps would leave"):
        backend.look().check()


def test_a_stack_of_another_registry_or_of_several_apps_is_left_alone(backend: Backend) -> None:
    backend.registry({"web": "", "theirs": "", "big": ""})
    backend.applied("web")
    backend.applied("theirs", namespace="other")
    backend.applied("big", app="acme/web")
    backend.state("dev", [])
    backend.state("acme--empty", [])
    backend.state("acme--half", [{"type": "neon:index/project:Project", "urn": "x"}])
    backend.registry({"web": ""})
    outlook = backend.look()
    outlook.check()
    assert outlook.tasks == ()
    assert outlook.notes == (
        "stack acme--empty holds nothing: pulumi stack rm acme--empty, when it is not needed",
        "stack acme--half holds resources (1), and no app that was ever whole: pulumi destroy --stack acme--half --remove",
    )


def test_an_app_that_another_stack_holds_gets_none_of_its_own(backend: Backend) -> None:
    backend.registry({"web": "", "new": ""})
    held = {
        "app": "acme/web",
        "deletion": "protect",
        "organization": "org-1",
        "region": "aws-us-east-2",
        "postgresVersion": 17,
        "generation": 1,
        "branches": [],
        "namespace": "ns",
    }
    backend.state("prod", [{"type": "tenantry:app:TenantApp", "urn": "acme/web", "outputs": held}])
    with pytest.raises(FleetError, match="stack prod holds acme/web"):
        backend.look().check()
    backend.look(Selection(only=frozenset({"acme/new"}))).check()
    held["namespace"] = "other"
    backend.state("prod", [{"type": "tenantry:app:TenantApp", "urn": "acme/web", "outputs": held}])
    backend.look().check()


def test_a_registry_that_is_not_valid_is_said_in_its_own_words(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(backend.folder)
    backend.registry({"web": "regoin: x"})
    with pytest.raises(RegistryError, match=r"^tenants.yaml:7:13: .* is not a key here"):
        backend.look()


def test_a_selection_of_what_is_not_there_is_refused(backend: Backend) -> None:
    backend.registry({"web": ""})
    with pytest.raises(SelectionError, match="no such app"):
        backend.look(Selection(only=frozenset({"acme/wob"})))


def test_with_nothing_to_do_no_engine_starts(backend: Backend) -> None:
    backend.registry({"web": ""})
    backend.applied("web")
    # There is no `pulumi` on this PATH.
    backend.environment["PATH"] = str(backend.folder)
    summary = backend.fleet().up()
    assert summary.counts() == {"unchanged": 1}
    assert summary.record == ""
    backend.registry({"web": "services: [auth]"})
    with pytest.raises(EngineError, match="there is no pulumi"):
        backend.fleet().up()


def test_a_protected_app_is_not_destroyed_by_command_either(backend: Backend) -> None:
    apps = fleet_of(backend, 3)
    backend.registry({**apps, "a0": ""})
    backend.applied("a0", deletion="protect")
    with pytest.raises(FleetError, match="acme/a0 was applied last with 'deletion: protect'"):
        backend.fleet().going(Selection(only=frozenset({"acme/a0"})))
    with pytest.raises(FleetError, match="protect"):
        backend.fleet().going(Selection(), confirmed="ns")


def test_a_destroy_takes_the_apps_that_are_named_or_the_namespace(backend: Backend) -> None:
    fleet_of(backend, 3)
    fleet = backend.fleet()
    with pytest.raises(FleetError, match="3 apps would be destroyed"):
        fleet.going(Selection(tenants=frozenset({"acme"})))
    with pytest.raises(FleetError, match="the registry's namespace is ns"):
        fleet.going(Selection(), confirmed="sn")
    named = fleet.going(Selection(only=frozenset({"acme/a0", "acme/a1"})))
    assert purposes(named) == {"acme/a0": "remove", "acme/a1": "remove"}
    assert len(fleet.going(Selection(), confirmed="ns").tasks) == 3
    # What others have in the same backend is no part of the fleet.
    for number in range(40):
        backend.state(f"other--b{number}", [])
    with pytest.raises(FleetError, match=r"\(acme/a0, acme/a1, acme/a2\)"):
        fleet.going(Selection())


def test_a_destroy_takes_a_tenth_of_the_fleets_own_apps(backend: Backend) -> None:
    fleet_of(backend, 30)
    for number in range(40):
        backend.state(f"other--b{number}", [])
    named = frozenset(f"acme/a{number}" for number in range(4))
    with pytest.raises(FleetError, match="4 of the fleet's 30 apps would be destroyed"):
        backend.fleet().going(Selection(only=named))


def test_the_stack_of_a_renamed_app_is_worked_on_under_its_name_of_before(backend: Backend) -> None:
    backend.registry({"web": "", "lab": ""})
    backend.applied("web", deletion="protect")
    backend.applied("lab")
    backend.registry({"site": "renamed_from: acme/web", "lab": ""})
    outlook = backend.look()
    outlook.check()
    (task,) = outlook.tasks
    assert (task.app, task.stack, task.purpose) == ("acme/site", "acme--site", "update")
    assert (task.source, task.held) == ("acme--web", "acme--web")
    assert outlook.notes == ("acme/site is renamed: stack acme--web will be called acme--site",)
    assert outlook.fleet == 2
    # It is judged as the app that it is.
    backend.registry({"site": "renamed_from: acme/web, region: aws-eu-central-1", "lab": ""})
    assert "region from" not in "".join(backend.look().refused)


def test_a_renamed_app_whose_new_stack_is_another_apps_is_refused(backend: Backend) -> None:
    backend.registry({"web": "", "site": ""})
    backend.applied("web")
    backend.applied("site")
    backend.registry({"site": "renamed_from: acme/web"})
    (line,) = backend.look().refused
    assert "stacks acme--web and acme--site both hold resources" in line


def test_what_was_applied_everywhere_is_said_to_be_of_no_use_any_more(backend: Backend) -> None:
    backend.registry({"site": "renamed_from: acme/web"})
    backend.applied("site", formerly=["acme/web"])
    outlook = backend.look()
    assert outlook.tasks == ()
    assert outlook.notes[0].startswith("renamed_from of acme/site was applied here")


def test_an_app_that_leaves_while_one_like_it_comes_may_be_a_rename(backend: Backend) -> None:
    backend.registry({"web": "", "lab": ""})
    backend.applied("web", deletion="protect")
    backend.applied("lab")
    backend.registry({"site": "", "lab": ""})
    (line,) = backend.look().refused
    assert line.endswith("Did you mean a rename? tenantry rename acme/web acme/site --write")


def test_an_app_that_a_big_stack_holds_under_its_id_of_before_gets_no_stack_of_its_own(
    backend: Backend,
) -> None:
    backend.registry({"web": ""})
    backend.applied("web")
    (backend.root / "stacks/t/acme--web.json").rename(backend.root / "stacks/t/prod.json")
    backend.registry({"site": "renamed_from: acme/web"})
    (line,) = backend.look().refused
    assert "stack prod holds acme/web" in line
