from pathlib import Path

import pytest

from tenantry.registry import App, load
from tenantry.registry.models import Deletion
from tenantry.registry.removal import AppliedApp, RemovalError, check_removals

FILE = Path("tenants.yaml")
REGISTRY = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web: {environment: production, region: aws-eu-central-1, deletion: delete}
"""


@pytest.fixture
def web(tmp_path: Path) -> App:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    return load(file).app("acme/web")


def test_an_app_that_stays_is_no_removal(web: App) -> None:
    assert check_removals([AppliedApp("acme/web", "protect")], [web], FILE) == []


def test_every_protected_app_that_leaves_is_named_with_both_ways_out(web: App) -> None:
    applied = [AppliedApp(f"acme/{name}", "protect") for name in ("web", "a", "b")]
    with pytest.raises(RemovalError) as refused:
        check_removals(applied, [web], FILE)
    lines = str(refused.value).splitlines()
    assert [line.split(" is gone")[0] for line in lines] == [
        "tenants.yaml: acme/a",
        "tenants.yaml: acme/b",
    ]
    assert all("put it back" in line and "deletion: delete" in line for line in lines)


@pytest.mark.parametrize(
    ("deletion", "said"), [("retain", "stays in the cloud"), ("delete", "are destroyed")]
)
def test_another_deletion_lets_it_go_and_says_what_happens(deletion: Deletion, said: str) -> None:
    (line,) = check_removals([AppliedApp("acme/old", deletion)], [], FILE)
    assert line.startswith("acme/old leaves")
    assert said in line


def test_one_protected_app_holds_back_the_others() -> None:
    applied = [AppliedApp("acme/a", "delete"), AppliedApp("acme/b", "protect")]
    with pytest.raises(RemovalError):
        check_removals(applied, [], FILE)
