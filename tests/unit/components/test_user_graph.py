from pathlib import Path

import pulumi
import pytest

from components.settings import Aura
from components.user_graph import UserGraph
from providers.catalog import Catalog
from tenantry.registry import load
from tenantry.registry.graphs import GraphError, check_user_graph, graph_of_user
from tests.unit.components.recording import RecordingMonitor, Registered, run

REGISTRY = """\
version: 1
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        deletion: DELETION
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 4GB, users: [alice]}
      lab: {environment: production, region: aws-eu-central-1}
"""
PLACE = {
    "type": "professional-db",
    "cloud": "gcp",
    "region": "us-central1",
    "version": "5",
    "project": "project",
}


def declare(folder: Path, *, deletion: str = "delete", known_as: str = "") -> RecordingMonitor:
    file = folder / "tenants.yaml"
    file.write_text(REGISTRY.replace("DELETION", deletion))
    app = load(file).app("acme/web")

    def program() -> dict[str, pulumi.Output[str]]:
        made = UserGraph(
            graph_of_user(app, "bob"),
            app,
            aura=Aura("project", {}),
            catalog=Catalog("catalog", "a catalog"),
            known_as=[known_as] if known_as else [],
        )
        return {"id": made.graph.id}

    return run(program)


def of_type(monitor: RecordingMonitor, kind: str) -> Registered:
    (found,) = (each for each in monitor.registered if each.type.rpartition(":")[2] == kind)
    return found


def test_a_user_who_signed_up_has_a_graph_and_a_row_and_nothing_else(tmp_path: Path) -> None:
    monitor = declare(tmp_path)
    made = [each for each in monitor.registered if each.type.startswith("pulumi-python:")]
    assert {(each.type.rpartition(":")[2], each.name) for each in made} == {
        ("Catalog", "catalog"),
        ("AuraInstance", "acme/web/bob"),
        ("GraphRecord", "acme/web/bob"),
        ("AuraReady", "acme/web/bob"),
    }
    assert of_type(monitor, "GraphRecord").inputs["user"] == "bob"
    component = of_type(monitor, "UserGraph")
    assert monitor.outputs[component.urn] == {
        "app": "acme/web",
        "user": "bob",
        "namespace": "tenantry",
        "deletion": "delete",
        "place": PLACE,
    }


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_the_apps_deletion_holds_for_it(tmp_path: Path, deletion: str) -> None:
    made = of_type(declare(tmp_path, deletion=deletion), "AuraInstance")
    assert (made.protect, made.retain) == (deletion == "protect", deletion == "retain")


def test_it_is_found_under_the_id_that_its_app_had(tmp_path: Path) -> None:
    monitor = declare(tmp_path, known_as="acme/old")
    assert of_type(monitor, "AuraInstance").aliases == ("acme/old/bob",)


def test_who_gets_none_is_told_why(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY.replace("DELETION", "delete"))
    registry = load(file)
    with pytest.raises(GraphError, match="acme/web/alice: the registry names this user"):
        graph_of_user(registry.app("acme/web"), "alice")
    with pytest.raises(GraphError, match="acme/lab: it has no graphs_per_user"):
        graph_of_user(registry.app("acme/lab"), "bob")


def test_what_aura_cannot_change_is_refused_or_allowed_by_name() -> None:
    graph, other = "acme/web/bob", PLACE | {"region": "europe-west1"}
    assert check_user_graph(graph, {}, PLACE, deletion="", allowed=False) == ""
    assert check_user_graph(graph, PLACE, PLACE, deletion="protect", allowed=False) == ""
    assert "all data in it are destroyed" in check_user_graph(
        graph, PLACE, other, deletion="delete", allowed=True
    )
    for deletion, allowed, said in (
        ("delete", False, "fleet up --allow-destroy acme/web"),
        ("protect", True, "applied last with 'deletion: protect'"),
        ("retain", True, "applied last with 'deletion: retain'"),
    ):
        with pytest.raises(GraphError, match=said):
            check_user_graph(graph, PLACE, other, deletion=deletion, allowed=allowed)
    with pytest.raises(GraphError, match="this run works in other"):
        check_user_graph(
            graph, PLACE, PLACE | {"project": "other"}, deletion="delete", allowed=True
        )
