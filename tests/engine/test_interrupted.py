"""What a run made in Postgres and did not get to note, the next one takes over."""

import json
from typing import Any

import psycopg
import pytest

from tests.engine.workspace import Workspace

REGISTRY = """\
version: 1
namespace: interrupted
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          extensions: [pg_trgm]
          credentials: {generation: 2}
        deletion: delete
"""


def forget(workspace: Workspace, kinds: tuple[str, ...]) -> int:
    """Take resources out of the state, as a run leaves it that dies before the checkpoint; tell how many."""
    exported = json.loads(workspace.must("stack", "export").out)
    resources: list[dict[str, Any]] = exported["deployment"]["resources"]
    lost = {each["urn"] for each in resources if each["type"].startswith(kinds)}
    kept = [each for each in resources if each["urn"] not in lost]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies") or [] if urn not in lost]
        for name, urns in (each.get("propertyDependencies") or {}).items():
            each["propertyDependencies"][name] = [urn for urn in urns or [] if urn not in lost]
    exported["deployment"]["resources"] = kept
    file = workspace.folder / "cut.json"
    file.write_text(json.dumps(exported))
    workspace.must("stack", "import", "--file", str(file), "--force")
    return len(lost)


@pytest.mark.parametrize(
    "kinds",
    [
        # Nothing but the passwords; and a group whose members the state has.
        ("postgresql:",),
        pytest.param(("postgresql:index/role:",), marks=pytest.mark.faults),
    ],
    ids=["everything", "roles"],
)
def test_what_the_state_does_not_know_is_taken_over(
    workspace: Workspace, kinds: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    registry = REGISTRY.replace("interrupted", f"interrupted-{request.node.callspec.id}")
    workspace.apply(registry)
    url = workspace.url("acme/web")
    assert forget(workspace, kinds) >= 3
    workspace.apply(registry)
    assert workspace.url("acme/web") == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("app, public",)
    workspace.assert_converged()
