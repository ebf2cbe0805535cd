import time
from pathlib import Path

import pytest

from tenantry.engine import EngineError, Source, ensure
from tenantry.engine.building import Builder
from tenantry.engine.pins import CLI, NEON_IDENTITY, NEON_PLUGIN, PARTS, PULUMI
from tests.unit.engine.conftest import Executable

NAMES = sorted(name for part in PARTS for name in part.executables)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "venv-bin"
    folder.mkdir()
    return folder


@pytest.fixture
def installed(tmp_path: Path, executable: Executable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the whole engine on PATH."""
    folder = tmp_path / "usr-local-bin"
    for part in PARTS:
        for name in part.executables:
            answer = NEON_IDENTITY if part is NEON_PLUGIN else f"v{PULUMI}"
            executable(folder / name, f'echo "{answer}"')
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_what_is_installed_is_linked(
    bin_dir: Path, installed: Path, lines: list[str], toolchain: Path
) -> None:
    engine = ensure(bin_dir, report=lines.append, toolchain=toolchain)
    assert sorted(engine.executables) == NAMES
    for name, located in engine.executables.items():
        assert located.link == bin_dir / name
        assert located.link.readlink() == located.target == installed / name
        assert located.origin is Source.PATH
    assert engine.pulumi == bin_dir / "pulumi"
    assert not lines


def test_a_second_run_is_instant_and_silent(
    bin_dir: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    first = ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    lines.clear()
    go_log.unlink()
    started = time.monotonic()
    assert ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain) == first
    assert time.monotonic() - started < 0.3
    assert not lines
    assert not go_log.exists()


def test_what_is_nowhere_is_built(
    bin_dir: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    assert not go_log.exists()
    engine = ensure(bin_dir, report=lines.append, toolchain=toolchain, vendor=NOWHERE)
    assert {each.origin for each in engine.executables.values()} == {Source.BUILD}
    assert all(each.link.exists() for each in engine.executables.values())
    told = [line for line in lines if "no official download" in line]
    assert len(told) == 1
    assert "127.0.0.1 cannot be reached" in told[0]


def test_only_the_part_that_is_missing_is_built(
    bin_dir: Path, toolchain: Path, go_log: Path, installed: Path, lines: list[str]
) -> None:
    assert not go_log.exists()
    (installed / NEON_PLUGIN.executables[0]).unlink()
    (installed / "go").symlink_to(go_log.parent / "go-path" / "go")
    engine = ensure(bin_dir, report=lines.append, toolchain=toolchain, vendor=NOWHERE)
    origins = {name: each.origin for name, each in engine.executables.items()}
    assert origins.pop(NEON_PLUGIN.executables[0]) is Source.BUILD
    assert set(origins.values()) == {Source.PATH}
    assert not any("download p" in line for line in lines)


def test_a_lost_link_is_made_again(bin_dir: Path, installed: Path, toolchain: Path) -> None:
    ensure(bin_dir, toolchain=toolchain)
    (bin_dir / "pulumi").unlink()
    ensure(bin_dir, toolchain=toolchain)
    assert (bin_dir / "pulumi").readlink() == installed / "pulumi"


def test_a_lost_target_is_noticed(
    bin_dir: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    assert not go_log.exists()
    engine = ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    engine.executables["pulumi"].target.unlink()
    ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    assert engine.pulumi.exists()


def test_changed_modules_are_built_again(
    bin_dir: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    assert not go_log.exists()
    before = ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    (toolchain / "main.go").write_text("package changed\n")
    after = ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    assert before.executables["pulumi"].target != after.executables["pulumi"].target
    assert after.pulumi.readlink() == after.executables["pulumi"].target


def test_a_spoilt_stamp_is_made_again(bin_dir: Path, installed: Path, toolchain: Path) -> None:
    assert installed
    ensure(bin_dir, toolchain=toolchain)
    stamp = bin_dir / ".tenantry-engine.json"
    whole = stamp.read_text()
    for spoilt in ("", "{", "[]", "{}", whole.replace('"path"', '"elsewhere"')):
        stamp.write_text(spoilt)
        ensure(bin_dir, toolchain=toolchain)
        assert stamp.read_text() == whole


def test_a_file_of_anothers_making_is_left_alone(
    bin_dir: Path, installed: Path, toolchain: Path
) -> None:
    assert installed
    (bin_dir / "pulumi").write_text("theirs")
    with pytest.raises(EngineError, match="is a file of another's making: remove it"):
        ensure(bin_dir, toolchain=toolchain)
    assert (bin_dir / "pulumi").read_text() == "theirs"


def test_path_only_never_builds(
    bin_dir: Path, go_log: Path, toolchain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENANTRY_ENGINE", "path")
    with pytest.raises(EngineError, match="pulumi: not on PATH, or too old: install it"):
        ensure(bin_dir, toolchain=toolchain)
    assert not go_log.exists()
    assert list(bin_dir.iterdir()) == []


def test_download_only_never_builds(
    bin_dir: Path, go_log: Path, toolchain: Path, installed: Path, lines: list[str]
) -> None:
    assert installed
    with pytest.raises(EngineError, match=r"pulumi: 127\.0\.0\.1 cannot be reached.*: check"):
        ensure(
            bin_dir,
            source=Source.DOWNLOAD,
            report=lines.append,
            toolchain=toolchain,
            vendor=NOWHERE,
        )
    assert not go_log.exists()


def test_build_only_takes_nothing_from_path(
    bin_dir: Path,
    go_log: Path,
    toolchain: Path,
    installed: Path,
    lines: list[str],
) -> None:
    (installed / "go").symlink_to(go_log.parent / "go-path" / "go")
    engine = ensure(bin_dir, source=Source.BUILD, report=lines.append, toolchain=toolchain)
    assert {each.origin for each in engine.executables.values()} == {Source.BUILD}


def test_a_build_that_is_there_is_taken_before_a_download(
    tmp_path: Path, bin_dir: Path, go_log: Path, toolchain: Path, lines: list[str]
) -> None:
    assert not go_log.exists()
    Builder(tmp_path / "cache" / "engine", toolchain).build(CLI.executables, lines.append)
    lines.clear()
    ensure(bin_dir, report=lines.append, toolchain=toolchain, vendor=NOWHERE)
    assert not any(line.startswith("download pulumi-v") for line in lines)


def test_an_unknown_source_is_refused(bin_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANTRY_ENGINE", "moon")
    with pytest.raises(
        EngineError, match="TENANTRY_ENGINE: 'moon' is not one of path, download, build"
    ):
        ensure(bin_dir)


def test_a_missing_bin_folder_is_reported(tmp_path: Path, toolchain: Path) -> None:
    with pytest.raises(EngineError, match="no such folder"):
        ensure(tmp_path / "nowhere", toolchain=toolchain)
