import json
from pathlib import Path

import pytest

from tenantry.engine import Engine, EngineError, Located, Source
from tenantry.engine import __main__ as command


def test_ensure_prints_where_everything_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(bin_dir: Path, **_: object) -> Engine:
        return Engine({"pulumi": Located(bin_dir / "pulumi", Path("/opt/pulumi"), Source.PATH)})

    monkeypatch.setattr(command, "ensure", ensure)
    assert command.main(["ensure", "--bin", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "pulumi": {"path": str(tmp_path / "pulumi"), "target": "/opt/pulumi", "origin": "path"}
    }
    assert command.main(["ensure", "--bin", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_failure_is_told_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(*_: object, **__: object) -> Engine:
        raise EngineError("pulumi: gone: find it")

    monkeypatch.setattr(command, "ensure", ensure)
    assert command.main(["ensure"]) == 1
    assert capsys.readouterr() == ("", "engine: pulumi: gone: find it\n")


def test_an_interruption_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(*_: object, **__: object) -> Engine:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "ensure", ensure)
    assert command.main(["ensure"]) == 130
    assert "run it again" in capsys.readouterr().err
