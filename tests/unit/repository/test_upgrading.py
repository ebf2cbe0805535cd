from pathlib import Path

import pytest

from tenantry.repository.composing import File
from tenantry.repository.errors import RepositoryError
from tenantry.repository.pinning import Pin, pin_wheel, pinned_version
from tenantry.repository.upgrading import pin
from tenantry.repository.writing import write
from tests.unit.repository.conftest import MakeWheel

SERVICE = (
    "ci/tenantry-ci",
    *(f"ci/github/{each}.yml" for each in ("apply", "drift", "pull-request")),
)


@pytest.fixture
def versions(make_wheel: MakeWheel) -> tuple[Pin, Pin]:
    """Two versions, each with steps of its own for a CI service."""
    old, new = (
        pin_wheel(
            make_wheel(each, **{name: f"{name} of {each}\n" for name in SERVICE}), local_cloud=True
        )
        for each in ("1.0.0", "2.0.0")
    )
    return old, new


@pytest.fixture
def folder(tmp_path: Path, versions: tuple[Pin, Pin]) -> Path:
    """A repository that pins the first version."""
    old = versions[0]
    made = tmp_path / "platform"
    files = {
        "requirements.txt": File(old.requirements().encode()),
        old.path: File(old.wheel.read_bytes() if old.wheel else b""),
        "ci/tenantry-ci": File(b"ci/tenantry-ci of 1.0.0\n", executable=True),
        ".github/workflows/apply.yml": File(b"ci/github/apply.yml of 1.0.0\n"),
    }
    write(made, files)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_the_version_and_what_comes_from_it_are_replaced(
    folder: Path, versions: tuple[Pin, Pin]
) -> None:
    new = versions[1]
    assert pin(folder, new) == []
    assert pinned_version(folder) == "2.0.0"
    found = contents(folder)
    assert sorted(found) == [
        *(".github/workflows/apply.yml", "ci/tenantry-ci", "requirements.txt", new.path),
    ]
    assert found["ci/tenantry-ci"] == b"ci/tenantry-ci of 2.0.0\n"
    assert (folder / "ci/tenantry-ci").stat().st_mode & 0o100
    assert found[".github/workflows/apply.yml"] == b"ci/github/apply.yml of 2.0.0\n"
    assert pin(folder, new) == []
    assert contents(folder) == found


def test_what_was_changed_by_hand_stays(folder: Path, versions: tuple[Pin, Pin]) -> None:
    (folder / "ci/tenantry-ci").write_text("mine\n")
    assert pin(folder, versions[1]) == ["ci/tenantry-ci"]
    assert (folder / "ci/tenantry-ci").read_text() == "mine\n"
    assert pinned_version(folder) == "2.0.0"


@pytest.mark.parametrize("kept", range(4))
def test_a_run_that_was_cut_off_is_gone_on_with(
    folder: Path, versions: tuple[Pin, Pin], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    done = 0
    whole = Path.replace

    def killed(part: Path, place: Path) -> Path:
        nonlocal done
        if done == kept:
            raise Killed
        done += 1
        return whole(part, place)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(Killed):
        pin(folder, versions[1])
    monkeypatch.setattr(Path, "replace", whole)
    # Of a run that was killed a moment later.
    (folder / "wheels" / "tenantry-0.9.0-py3-none-any.whl").touch()
    # Whatever it pins by then, the file is there.
    assert (folder / "wheels" / f"tenantry-{pinned_version(folder)}-py3-none-any.whl").is_file()
    assert pin(folder, versions[1]) == []
    assert set(contents(folder)) == {
        ".github/workflows/apply.yml",
        "ci/tenantry-ci",
        "requirements.txt",
        versions[1].path,
    }


def test_a_folder_that_pins_nothing_is_refused(tmp_path: Path, versions: tuple[Pin, Pin]) -> None:
    with pytest.raises(RepositoryError, match=r"requirements\.txt: cannot be read"):
        pin(tmp_path, versions[1])
