"""Raising `credentials.generation`: the next login is ready before the old one goes."""

import psycopg
import pytest

from tests.engine.workspace import Workspace

REGISTRY = """\
version: 1
namespace: rotation
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          credentials: {generation: GENERATION}
        deletion: delete
"""


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False


def test_a_rotation_leaves_the_previous_login_and_its_connections_alone(
    workspace: Workspace,
) -> None:
    urls = {}
    workspace.apply(REGISTRY.replace("GENERATION", "1"))
    urls[1] = workspace.url("acme/web")
    with psycopg.connect(urls[1], autocommit=True) as held:
        workspace.apply(REGISTRY.replace("GENERATION", "2"))
        urls[2] = workspace.url("acme/web")
        assert urls[1] != urls[2]
        assert "login_b" in urls[2]
        assert held.execute("SELECT 1").fetchone() == (1,)
        assert answers(urls[1])
        assert answers(urls[2])
        workspace.assert_converged()

        workspace.apply(REGISTRY.replace("GENERATION", "3"))
        urls[3] = workspace.url("acme/web")
        assert "login_a" in urls[3]
        assert held.execute("SELECT 1").fetchone() == (1,)
    assert not answers(urls[1])
    assert answers(urls[2])
    assert answers(urls[3])
    workspace.assert_converged()
    workspace.must("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize("generation", [5])
def test_an_app_may_begin_at_any_generation(workspace: Workspace, generation: int) -> None:
    workspace.apply(REGISTRY.replace("rotation", "begin").replace("GENERATION", str(generation)))
    assert answers(workspace.url("acme/web"))
    workspace.assert_converged()
