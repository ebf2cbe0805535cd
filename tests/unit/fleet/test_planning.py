from pathlib import Path

import pytest

from tenantry.fleet.fleet import Fleet
from tenantry.fleet.planning import plan_of_fleet, refused_plan
from tenantry.planning.events import Run
from tests.unit.fleet.support import Backend


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
