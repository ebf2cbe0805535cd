import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tenantry.engine.building import Builder
from tenantry.engine.errors import EngineError
from tenantry.engine.pins import PARTS, SCHEMAS

EVERYTHING = [name for part in PARTS for name in part.executables] + [SCHEMAS]


def contents(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_everything_is_built_into_the_folder_of_the_key(
    tmp_path: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    builder = Builder(tmp_path / "engine", toolchain)
    assert builder.missing(EVERYTHING) == EVERYTHING
    builder.build(EVERYTHING, lines.append)
    assert contents(builder.folder) == sorted(EVERYTHING)
    assert contents(tmp_path / "engine") == [builder.key]
    assert builder.missing(EVERYTHING) == []
    assert [line.split("]")[0] for line in lines] == [f"[{n}/6" for n in range(1, 7)]
    assert "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3." in go_log.read_text()
    # The source tree is only read.
    assert contents(toolchain / "internal" / "embedded" / "schemas") == [".gitignore"]


def test_only_what_is_missing_is_built(
    tmp_path: Path, toolchain: Path, go_log: Path, lines: list[str]
) -> None:
    builder = Builder(tmp_path / "engine", toolchain)
    builder.build(["pulumi-resource-terraform-provider"], lines.append)
    assert contents(builder.folder) == ["pulumi-resource-terraform-provider"]
    go_log.unlink()
    builder.build(["pulumi-resource-terraform-provider", "pulumi-language-python"], lines.append)
    calls = go_log.read_text()
    assert "pulumi-language-python" in calls
    assert "terraform-provider" not in calls
    go_log.unlink()
    builder.build(["pulumi-language-python"], lines.append)
    assert not go_log.exists()


def test_the_key_follows_what_the_build_depends_on(tmp_path: Path, toolchain: Path) -> None:
    def key() -> str:
        return Builder(tmp_path, toolchain).key

    before = key()
    (toolchain / "main_test.go").write_text("package other\n")
    (toolchain / "notes.md").write_text("x")
    assert key() == before
    (toolchain / "main.go").write_text("package other\n")
    after = key()
    assert after != before
    (toolchain / "go.sum").write_text("x v1 h1:x\n")
    assert key() not in {before, after}


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("undefined: x", "run it again"),
        ("write /x: no space left on device", "free some disk space"),
        ("dial tcp: lookup proxy.example: no such host", "GOPROXY"),
        ("example.com/m@v1.2.3: checksum mismatch", "do not go on"),
        ("signal: killed", "not enough memory"),
    ],
)
def test_a_failure_names_the_package_and_what_to_do(
    reason: str,
    hint: str,
    tmp_path: Path,
    toolchain: Path,
    go_log: Path,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert go_log
    monkeypatch.setenv("FAKE_GO_FAILS", "pulumi-resource-random")
    monkeypatch.setenv("FAKE_GO_REASON", reason)
    builder = Builder(tmp_path / "engine", toolchain)
    with pytest.raises(EngineError) as failed:
        builder.build(EVERYTHING, lines.append)
    first, *rest = str(failed.value).splitlines()
    assert first.startswith("compile example.com/pulumi-resource-random: failed: ")
    assert hint in first
    assert f"    internal/pulumi-resource-random.go:7:2: {reason}" in rest
    # The generator was finished before, and is kept; nothing half-made is.
    assert contents(builder.folder) == [SCHEMAS]
    assert contents(tmp_path / "engine") == [builder.key]


def test_a_failed_build_goes_on_where_it_stopped(
    tmp_path: Path,
    toolchain: Path,
    go_log: Path,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert go_log
    builder = Builder(tmp_path / "engine", toolchain)
    monkeypatch.setenv("FAKE_GO_FAILS", "pulumi-language-python")
    with pytest.raises(EngineError):
        builder.build(EVERYTHING, lines.append)
    assert builder.missing(EVERYTHING) == [
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-resource-pulumi-python",
    ]
    monkeypatch.delenv("FAKE_GO_FAILS")
    builder.build(EVERYTHING, lines.append)
    assert builder.missing(EVERYTHING) == []


PROGRAM = """
import signal, sys
from pathlib import Path
from tenantry.engine.building import Builder
# As from a terminal: a shell lets its background jobs, and all that they start, ignore this signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
Builder(Path(sys.argv[1]), Path(sys.argv[2])).build(["pulumi"], print)
"""


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing_half_made_and_runs_again(
    blow: signal.Signals,
    tmp_path: Path,
    toolchain: Path,
    go_log: Path,
    lines: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = tmp_path / "engine"
    environment = {
        **os.environ,
        "FAKE_GO_HANGS": "pulumi",
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
    }
    hangs = go_log.with_name("go.log.hangs")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, engine, toolchain],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 20
            while not hangs.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert hangs.exists()
            process.send_signal(blow)
            process.wait(20)
        finally:
            # Where it came so far, its group is gone.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    builder = Builder(engine, toolchain)
    assert builder.missing(["pulumi"]) == ["pulumi"]
    assert not builder.folder.exists() or contents(builder.folder) == []
    monkeypatch.delenv("FAKE_GO_HANGS", raising=False)
    builder.build(["pulumi"], lines.append)
    assert contents(engine) == [builder.key]
    assert contents(builder.folder) == ["pulumi"]


def test_a_build_without_the_go_modules_says_so(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(EngineError, match="a build needs the Go modules, which the package brings"):
        Builder(tmp_path / "engine", tmp_path / "nowhere").build(["pulumi"], lines.append)
