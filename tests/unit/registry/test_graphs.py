from pathlib import Path

import pytest

from tenantry.registry import App, load
from tenantry.registry.graphs import GraphError, check_free_graphs, graph_place

REGISTRY = """\
version: 1
defaults: {environment: development, region: aws-us-east-2}
tenants:
  acme:
    apps:
      web:
        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB}
        graphs_per_user: {type: professional-db, cloud: aws, region: us-east-1, memory: 2GB, paused: true, users: [alice, auth0|5f7c]}
      bare: {}
"""


def apps(folder: Path, registry: str = REGISTRY) -> tuple[App, ...]:
    file = folder / "tenants.yaml"
    file.write_text(registry)
    return load(file).apps


def test_an_app_has_its_own_graph_and_one_for_each_user(tmp_path: Path) -> None:
    web, bare = apps(tmp_path)
    assert [(each.id, each.user, each.name) for each in web.graphs] == [
        ("acme/web", None, "tenantry--acme--web"),
        ("acme/web/alice", "alice", "tenantry--acme--web--alice"),
        ("acme/web/auth0|5f7c", "auth0|5f7c", "tenantry--acme.wkkklt3xrzwwt"),
    ]
    assert [each.graph.paused for each in web.graphs] == [False, True, True]
    assert bare.graphs == ()


def test_users_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text(
        "# who has a graph\n\nalice\n  bob@x.example   # since May\n"
    )
    web, _ = apps(
        tmp_path, REGISTRY.replace("users: [alice, auth0|5f7c]", "users_file: ./users.txt")
    )
    assert [each.user for each in web.graphs] == [None, "alice", "bob@x.example"]


def test_an_account_has_one_free_graph(tmp_path: Path) -> None:
    check_free_graphs(apps(tmp_path))
    more = REGISTRY.replace(
        "professional-db, cloud: aws, region: us-east-1, memory: 2GB, paused: true",
        "free-db, cloud: gcp, region: us-central1, memory: 1GB",
    )
    with pytest.raises(
        GraphError,
        match=r"^3 graphs of type free-db \(acme/web, acme/web/alice, .*an Aura account has one",
    ):
        check_free_graphs(apps(tmp_path, more))


def test_a_place_is_what_aura_cannot_change(tmp_path: Path) -> None:
    web, _ = apps(tmp_path)
    assert graph_place(web.graphs[0].graph, "project") == {
        "type": "free-db",
        "cloud": "gcp",
        "region": "us-central1",
        "version": "5",
        "project": "project",
    }
