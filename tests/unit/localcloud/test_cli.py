from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from localcloud.cli import NOT_RUNNING, main

if TYPE_CHECKING:
    from pathlib import Path

_COMMANDS = ("start", "stop", "status", "reset")


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "http", ""])
@pytest.mark.parametrize("options", [(), ("--foreground",)])
def test_a_port_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str, options: tuple[str, ...]
) -> None:
    data = tmp_path / "data"
    with pytest.raises(SystemExit) as ended:
        main(["start", "--data", str(data), "--port", port, *options])
    assert ended.value.code == 2
    assert "--port: must be a whole number from 1 to 65535" in capsys.readouterr().err
    assert not data.exists()


@pytest.mark.parametrize("pace", ["-0.1", "101", "nan", "fast"])
def test_a_pace_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pace: str
) -> None:
    data = tmp_path / "data"
    with pytest.raises(SystemExit) as ended:
        main(["start", "--data", str(data), "--pace", pace])
    assert ended.value.code == 2
    assert "--pace: must be a number from 0 to 100" in capsys.readouterr().err
    assert not data.exists()


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--domain", "no domain", "must be a domain, e.g. localhost"),
        ("--domain", ".localhost", "must be a domain, e.g. localhost"),
        ("--domain", "a" * 64, "must be a domain, e.g. localhost"),
        ("--neon-rate-limit", "-1", "must be a whole number from 0 to 1000000"),
        ("--neon-retry-after", "later", "invalid choice: 'later'"),
        ("--aura-port", "7687", "must not be 7687, the port of Bolt"),
        ("--aura-port", "0", "must be a whole number from 1 to 65535"),
        ("--aura-create-seconds", "-1", "must be a number from 0 to 86400"),
        ("--aura-change-seconds", "soon", "must be a number from 0 to 86400"),
        ("--aura-lag-seconds", "nan", "must be a number from 0 to 86400"),
        ("--aura-token-seconds", "0", "must be a whole number from 1 to 86400"),
        ("--aura-rate-limit", "0", "must be a whole number from 1 to 1000000"),
        ("--aura-retry-after", "later", "invalid choice: 'later'"),
    ],
)
def test_a_setting_of_an_api_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    data = tmp_path / "data"
    with pytest.raises(SystemExit) as ended:
        main(["start", "--data", str(data), option, value])
    assert ended.value.code == 2
    assert f"{option}: {words}" in capsys.readouterr().err
    assert not data.exists()


@pytest.mark.parametrize("command", _COMMANDS)
def test_an_empty_data_folder_is_not_the_default_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([command, "--data", ""])
    assert ended.value.code == 2
    assert "--data: must name a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [*_COMMANDS, "start --foreground"])
@pytest.mark.parametrize("below", ["", "/data"])
def test_a_file_in_the_place_of_the_data_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, below: str
) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    assert main([*command.split(), "--data", f"{file}{below}"]) == 1
    assert capsys.readouterr().err == (
        f"localcloud: {file}: is not a folder; give another --data, or move it away\n"
    )
    assert file.read_text() == "precious"


def test_a_link_to_nowhere_is_no_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert main(["start", "--data", str(link)]) == 1
    assert f"{link}: is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["faults"], ["fault", "GET /x", "--drop"]])
def test_faults_need_a_local_cloud_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    data = tmp_path / "data"
    assert main([*command, "--data", str(data)]) == 1
    assert capsys.readouterr().err == (
        f"localcloud: {data}: no local cloud runs on it; `localcloud start` starts one\n"
    )
    assert not data.exists()


def test_a_name_that_the_terminal_cannot_show_is_shown_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding="ascii"))
    assert main(["status", "--data", str(tmp_path / "é")]) == NOT_RUNNING
    sys.stdout.flush()
    assert terminal.getvalue() == f"not running (data {tmp_path}/\\xe9)\n".encode()
