from pathlib import Path

import pytest

from tenantry.fleet.errors import FleetError
from tenantry.fleet.fleet import Fleet
from tenantry.fleet.planning import apps_of, moved_since, plan_of_fleet, refused_plan, stacks_of
from tenantry.fleet.selection import Selection
from tenantry.planning.events import Run
from tenantry.planning.keeping import read_plan, write_plan
from tenantry.planning.plan import Plan
from tenantry.registry import SelectionError
from tests.unit.fleet.support import Backend
from tests.unit.states.samples import state_of


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(tmp_path)


def test_a_new_app_is_planned_by_what_is_declared(backend: Backend) -> None:
    backend.registry({"web": "", "new": "services: [auth]"})
    backend.applied("web")
    made = plan_of_fleet(backend.look(), {}, ())
    (row,) = made.rows
    assert (row.app, row.stack, row.action) == ("acme/new", "acme--new", "create")
    assert any(change.field.startswith("services") for change in row.changes)
    assert (made.summary.create, made.summary.unchanged, made.exit_code) == (1, 1, 2)


def test_what_one_app_is_refused_stops_no_other(backend: Backend) -> None:
    backend.registry({"web": "", "new": ""})
    backend.applied("web")
    backend.registry({"web": "region: aws-us-west-2", "new": ""})
    refused = Run("acme--web", {}, (), (), ("tenants.yaml: acme/web: no",), False, False)
    made = plan_of_fleet(backend.look(), {"acme/web": refused}, ())
    assert [row.app for row in made.rows] == ["acme/new"]
    assert [each.app for each in made.refusals] == ["acme/web"]
    assert made.exit_code == 1


def test_a_run_that_is_refused_as_a_whole_has_no_rows(backend: Backend) -> None:
    backend.registry({"web": "", "lab": ""})
    backend.applied("lab", deletion="protect")
    backend.registry({"web": ""})
    outlook = backend.look()
    made, summary = Fleet(backend.folder, environment=backend.environment).plan()
    assert made == refused_plan(outlook)
    assert made.exit_code == 1
    assert "acme/lab is gone" in made.refusals[0].text
    assert summary.results == ()


@pytest.fixture
def reviewed(backend: Backend, tmp_path: Path) -> Plan:
    """A plan of a new app, of one that changed and of one that leaves, as it was kept and read."""
    backend.registry({"web": "", "old": ""})
    for name in ("web", "old"):
        backend.applied(name)
    backend.registry({"web": "services: [auth]", "new": "", "other": ""})
    made = kept(backend, Selection(only=frozenset({"acme/web", "acme/new", "acme/old"})))
    write_plan(made, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == made
    return made


def kept(backend: Backend, selection: Selection) -> Plan:
    fleet = backend.fleet()
    outlook = fleet.look(selection)
    stacks = stacks_of(outlook, backend.folder, fleet.project.store)
    return plan_of_fleet(outlook, {}, (), stacks)


def since(backend: Backend, reviewed: Plan) -> list[str]:
    fleet = backend.fleet()
    outlook = fleet.look(Selection(only=apps_of(reviewed)), every=True)
    return moved_since(reviewed, stacks_of(outlook, backend.folder, fleet.project.store))


def test_a_plan_holds_while_its_own_apps_are_as_they_were(backend: Backend, reviewed: Plan) -> None:
    assert {stack.name: stack.selection for stack in reviewed.stacks} == {
        "acme--web": ("acme/web",),
        "acme--new": ("acme/new",),
        "acme--old": (),
    }
    # What another app is to be is for another plan.
    backend.registry({"other": "services: [auth]", "new": "", "web": "services: [auth]"})
    assert since(backend, reviewed) == []


def test_what_moved_since_is_told(
    backend: Backend, reviewed: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.registry({"web": "services: [auth, realtime]", "new": "", "other": ""})
    assert since(backend, reviewed) == [
        "registry: acme/web is declared otherwise than it was reviewed"
    ]
    backend.registry({"web": "services: [auth]", "new": "", "other": ""})
    backend.environment["NEON_API_URL"] = "https://other.example"
    assert [line.split(":")[0] for line in since(backend, reviewed)] == ["settings", "settings"]
    del backend.environment["NEON_API_URL"]
    backend.applied("web", generation=2)
    assert since(backend, reviewed) == ["state: acme/web was changed by a run since"]
    backend.registry({"web": "services: [auth]", "old": "", "new": "", "other": ""})
    assert "selection: acme/old was not selected then, and is now" in since(backend, reviewed)
    monkeypatch.setattr("tenantry.fleet.planning.program_digest", lambda _: "another")
    assert any(line.startswith("program:") for line in since(backend, reviewed))


def test_nothing_is_applied_that_was_not_reviewed_so(backend: Backend, reviewed: Plan) -> None:
    backend.registry({"web": "services: [auth, realtime]", "new": "", "other": ""})
    with pytest.raises(FleetError, match="registry: acme/web is declared otherwise"):
        backend.fleet().up_reviewed(reviewed)
    backend.registry({"web": "services: [auth]", "other": ""})
    with pytest.raises(SelectionError, match=r"no such app: .*acme/new"):
        backend.fleet().up_reviewed(reviewed)


def test_a_plan_of_nothing_applies_nothing(backend: Backend) -> None:
    backend.registry({"web": ""})
    backend.applied("web")
    backend.environment["PATH"] = "/nowhere"
    nothing = kept(backend, Selection())
    assert nothing.stacks == ()
    assert backend.fleet().up_reviewed(nothing).results == ()


def test_another_ciphertext_of_the_same_is_no_other_state(backend: Backend) -> None:
    backend.registry({"web": ""})

    def state(cipher: str, app: str = "acme/web") -> None:
        resources = state_of("acme--web", app)["resources"]
        for each in resources:
            if "inputs" in each:
                each["inputs"]["password"]["ciphertext"] = cipher
        backend.state("acme--web", resources)

    state("v1:one")
    made = kept(backend, Selection(only=frozenset({"acme/web"})))
    state("v1:two")
    assert since(backend, made) == []
