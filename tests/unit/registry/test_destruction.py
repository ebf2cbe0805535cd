from pathlib import Path

import pytest

from tenantry.registry import App, load
from tenantry.registry.destruction import AppliedApp, DestructionError, check_destruction
from tenantry.registry.models import Deletion

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


def held(
    app: str, deletion: Deletion, *, region: str = "aws-eu-central-1", version: int = 17
) -> AppliedApp:
    return AppliedApp(app, deletion, region, version)


def test_an_app_that_stays_is_no_removal(web: App) -> None:
    assert check_destruction([held("acme/web", "protect")], [web], FILE) == []


def test_every_protected_app_that_leaves_is_named_with_both_ways_out(web: App) -> None:
    applied = [held(f"acme/{name}", "protect") for name in ("web", "a", "b")]
    with pytest.raises(DestructionError) as refused:
        check_destruction(applied, [web], FILE)
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
    (line,) = check_destruction([held("acme/old", deletion)], [], FILE)
    assert line.startswith("acme/old leaves")
    assert said in line


def test_one_protected_app_holds_back_the_others() -> None:
    applied = [held("acme/a", "delete"), held("acme/b", "protect")]
    with pytest.raises(DestructionError):
        check_destruction(applied, [], FILE)


@pytest.mark.parametrize(
    ("region", "version", "said"),
    [
        ("aws-us-east-2", 17, "region from aws-us-east-2 to aws-eu-central-1"),
        ("aws-eu-central-1", 16, "PostgreSQL from 16 to 17"),
        (
            "aws-us-east-2",
            18,
            "region from aws-us-east-2 to aws-eu-central-1 and PostgreSQL from 18 to 17",
        ),
    ],
)
def test_a_replacement_is_said_in_words_once_it_was_released(
    web: App, region: str, version: int, said: str
) -> None:
    (line,) = check_destruction(
        [held("acme/web", "delete", region=region, version=version)], [web], FILE
    )
    assert line.startswith(f"acme/web: {said}, which Neon cannot change: its project and all data")


@pytest.mark.parametrize("deletion", ["protect", "retain"])
def test_a_replacement_is_refused_where_it_was_not_released(web: App, deletion: Deletion) -> None:
    with pytest.raises(DestructionError) as refused:
        check_destruction([held("acme/web", deletion, version=16)], [web], FILE)
    assert str(refused.value).startswith("tenants.yaml: acme/web: PostgreSQL from 16 to 17")
    assert f"'deletion: {deletion}'" in str(refused.value)
    assert "set 'deletion: delete', apply, then change it" in str(refused.value)
