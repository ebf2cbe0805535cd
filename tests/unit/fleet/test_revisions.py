import subprocess
from pathlib import Path

import pytest

from tenantry.fleet.errors import FleetError
from tenantry.fleet.revisions import changed_since
from tenantry.registry.source import FileSource

TEXT = """\
version: 1
defaults: {region: aws-us-east-2, environment: development}
tenants:
  acme:
    apps:
      web: {database: {schema: ./migrations, compute: {max_cu: 1}}}
      lab: {}
      many:
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users_file: ./users.txt}
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry in a folder of a repository, with one commit."""
    folder = tmp_path / "repository" / "cloud"
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "tenants.yaml").write_text(TEXT)
    (folder / "users.txt").write_text("ada\n")
    (folder / "migrations" / "versions" / "a1.py").write_text(
        "revision = 'a1'\ndown_revision = None\n"
    )
    git(folder, "init", "--initial-branch=main", "--quiet", "..")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def changed(folder: Path, revision: str = "main") -> set[str]:
    file = folder / "tenants.yaml"
    return set(changed_since(FileSource(file).read(), file, revision))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_nothing_changed_and_comments_and_order_are_nothing(folder: Path) -> None:
    assert changed(folder) == set()
    lines = (folder / "tenants.yaml").read_text().splitlines(keepends=True)
    (folder / "tenants.yaml").write_text(
        "".join(["# new\n", *lines[:5], lines[6], lines[5], *lines[7:]])
    )
    assert changed(folder) == set()


def test_what_is_changed_added_and_removed_is_named(folder: Path) -> None:
    edit(folder / "tenants.yaml", "max_cu: 1", "max_cu: 2")
    edit(folder / "tenants.yaml", "      lab: {}\n", "      new: {}\n")
    assert changed(folder) == {"acme/web", "acme/lab", "acme/new"}
    git(folder, "commit", "--quiet", "--all", "--message=second")
    assert changed(folder) == set()
    assert changed(folder, "main~1") == {"acme/web", "acme/lab", "acme/new"}


def test_a_default_reaches_every_app_that_has_it(folder: Path) -> None:
    edit(folder / "tenants.yaml", "aws-us-east-2", "aws-us-west-2")
    assert changed(folder) == {"acme/web", "acme/lab", "acme/many"}


@pytest.mark.parametrize("name", ["a1.py", "a2.py"])
def test_the_files_of_a_history_count(folder: Path, name: str) -> None:
    (folder / "migrations" / "versions" / name).write_text(
        f"revision = '{name[:2]}'\ndown_revision = {None if name == 'a1.py' else 'a1'!r}\n# more\n"
    )
    assert changed(folder) == {"acme/web"}


def test_a_list_of_users_in_a_file_of_its_own_counts(folder: Path) -> None:
    (folder / "users.txt").write_text("ada\ngrace\n")
    assert changed(folder) == {"acme/many"}


def test_what_cannot_be_compared_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"--changed-since: .*nowhere"):
        changed(folder, "nowhere")
    edit(folder / "tenants.yaml", "region:", "regoin:")
    git(folder, "commit", "--quiet", "--all", "--message=broken")
    edit(folder / "tenants.yaml", "regoin:", "region:")
    with pytest.raises(FleetError, match="the registry was not valid then") as refused:
        changed(folder)
    assert str(tmp_path) not in str(refused.value)


def test_outside_of_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text("version: 1\ntenants: {}\n")
    with pytest.raises(FleetError, match="not a git repository"):
        changed_since(FileSource(file).read(), file, "main")
