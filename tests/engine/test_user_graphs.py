"""Graphs of users who signed up, each in a stack of its own: made, changed, lost answers, and gone with their app."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tenantry.fleet import Fleet, Selection, provision
from tenantry.fleet.errors import FleetError
from tenantry.fleet.frozen import FrozenError
from tenantry.fleet.standing import standings
from tenantry.fleet.user_graphs import NotYetError, make_user_graph, remove_user_graph
from tests.engine.fleet_folder import FleetFolder
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: signed
defaults: {region: aws-us-east-2, environment: development, deletion: delete}
tenants:
  acme:
    apps:
      web:
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: []}
"""
ALICE, BOB = "7f6c2b0e-6f0c-4a53-9d53-0c2d4a6e9a01", "bob"


@pytest.fixture
def folder(cloud: LocalCloud, tmp_path: Path) -> Iterator[FleetFolder]:
    made = FleetFolder(tmp_path / "project", cloud.env())
    made.registry.write_text(REGISTRY)
    yield made
    made.registry.write_text(REGISTRY)
    made.fleet().destroy(Selection(), confirmed="signed")


def instances(cloud: LocalCloud) -> dict[str, str]:
    with cloud.aura() as client:
        listed = client.get("/instances").raise_for_status().json()["data"]
    return {each["id"]: each["name"] for each in listed if each["name"].startswith("signed--")}


def left(cloud: LocalCloud, count: int) -> bool:
    """Wait until so many instances are left: Aura takes its time over a deletion."""
    end = time.monotonic() + 20
    while len(instances(cloud)) != count and time.monotonic() < end:
        time.sleep(0.2)
    return len(instances(cloud)) == count


def noted(cloud: LocalCloud) -> dict[str, str]:
    with psycopg.connect(cloud.catalog_url) as connection:
        found = connection.execute(
            "SELECT u.user_id, u.status FROM tenantry.user_databases u JOIN tenantry.app_metadata a ON a.id = u.app "
            "WHERE a.namespace = 'signed' AND u.deleted_at IS NULL"
        )
        return dict(found.fetchall())


def test_a_users_graph_is_made_followed_and_goes_with_its_app(
    folder: FleetFolder, cloud: LocalCloud
) -> None:
    with pytest.raises(NotYetError, match="once the app itself is there"):
        make_user_graph(folder.fleet(), "acme/web", ALICE)
    assert not folder.fleet().up().failed

    for user in (ALICE, BOB):
        summary = make_user_graph(folder.fleet(), "acme/web", user)
        assert [(each.app, each.outcome, each.reason) for each in summary.results] == [
            (f"acme/web/{user}", "applied", "")
        ]
    assert make_user_graph(folder.fleet(), "acme/web", ALICE).results == ()
    made = instances(cloud)
    assert len(made) == 2
    assert noted(cloud) == {ALICE: "ready", BOB: "ready"}

    # A fleet knows them as what they are.
    outlook = folder.fleet().look()
    assert (outlook.tasks, outlook.notes, outlook.refused) == ((), (), ())
    drift, _ = folder.fleet().drift(deep=True)
    assert (drift.differences, drift.strays) == ((), ())

    edited = REGISTRY.replace("1GB", "2GB")
    folder.registry.write_text(edited)
    plan, summary = folder.fleet().plan()
    assert not summary.failed
    assert {(row.app, row.action) for row in plan.rows} == {("acme/web", "update")}
    assert not folder.fleet().up().failed
    assert instances(cloud) == made
    folder.registry.write_text(edited.replace("us-central1", "europe-west1"))
    (result,) = folder.fleet().up().results
    assert "region from us-central1 to europe-west1, which Aura cannot change" in result.reason
    folder.registry.write_text(edited.replace("users: []", f"users: [{BOB}]"))
    with pytest.raises(FleetError, match="graphs_per_user names bob, who signed up"):
        folder.fleet().up()
    folder.registry.write_text(edited)

    assert not remove_user_graph(folder.fleet(), "acme/web", BOB).failed
    assert remove_user_graph(folder.fleet(), "acme/web", BOB).results == ()
    assert noted(cloud) == {ALICE: "ready"}
    assert left(cloud, 1)

    folder.registry.write_text(edited.replace("deletion: delete", "deletion: protect"))
    assert not folder.fleet().up().failed
    with pytest.raises(FleetError, match="deletion: protect"):
        remove_user_graph(folder.fleet(), "acme/web", ALICE)
    folder.registry.write_text(edited)
    assert not folder.fleet().up().failed
    folder.registry.write_text(edited.partition("    apps:")[0] + "    apps: {}\n")
    assert not folder.fleet().up(allowed={"acme/web"}).failed
    assert left(cloud, 0)
    assert noted(cloud) == {}
    assert folder.fleet().project.store.stacks() == set()


def test_an_answer_that_was_lost_makes_no_second_graph(
    folder: FleetFolder, cloud: LocalCloud
) -> None:
    assert not folder.fleet().up().failed
    with faults_of(cloud) as faults:
        faults.order("POST /instances", {"kind": "drop", "when": "after"}, api="aura")
        failed = make_user_graph(folder.fleet(), "acme/web", ALICE).failed
        assert len(failed) == 1
        again = make_user_graph(folder.fleet(), "acme/web", ALICE)
        assert len(instances(cloud)) == 1
        assert again.failed, "nobody has its password: somebody must say that it may go"


def test_no_run_touches_a_frozen_app(folder: FleetFolder) -> None:
    assert not folder.fleet().up().failed
    done = folder.tenantry("freeze", "acme/web", "--reason", "a look", "--until", "4h")
    assert done.returncode == 0, done.stderr
    edited = REGISTRY.replace("web:\n", "web:\n        services: [auth]\n")
    folder.registry.write_text(edited)
    assert folder.fleet().up().results == ()
    outlook = folder.fleet().look()
    (note,) = outlook.notes
    assert re.fullmatch(r"acme/web is frozen until .* UTC by .*: a look: no run touches it", note)
    assert [each.standing for each in standings(outlook)] == ["changed"]
    for act in (
        lambda: provision("acme/web", folder=folder.folder, environment=folder.environment),
        lambda: make_user_graph(folder.fleet(), "acme/web", ALICE),
        lambda: folder.fleet().destroy(Selection(only=frozenset({"acme/web"}))),
    ):
        with pytest.raises(FrozenError, match=r"a look\. To end that: tenantry thaw acme/web"):
            act()
    for arguments in (("up", "--yes"), ("destroy", "acme/web", "--yes")):
        refused = folder.tenantry(*arguments, stack="acme--web")
        assert refused.returncode == 1
        assert "acme/web is frozen" in refused.stderr, refused.stderr
    planned = folder.tenantry("plan", stack="acme--web")
    assert planned.returncode == 2, planned.stderr
    assert "a look: no run touches it" in planned.stderr
    away = {**folder.environment, "TENANTRY_CATALOG_URL": "postgresql://nobody@127.0.0.1:1/none"}
    fleet = Fleet(folder.folder, environment=away)
    with pytest.raises(FrozenError, match="nothing is destroyed before the catalog answers"):
        fleet.destroy(Selection(only=frozenset({"acme/web"})))
    assert folder.tenantry("thaw", "acme/web").stdout == "acme/web is thawed\n"
    assert folder.tenantry("freeze", "acme/wep", "--reason", "x").returncode == 1
    (result,) = folder.fleet().up().results
    assert result.outcome == "applied"
