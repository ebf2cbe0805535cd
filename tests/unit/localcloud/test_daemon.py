import importlib.util
from pathlib import Path

import pytest

from localcloud import daemon
from localcloud.settings import Choices


def test_without_the_extras_packages_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvicorn" else found(name)
    )
    with pytest.raises(
        daemon.DaemonError, match=r"\(uvicorn\): pip install 'tenantry\[localcloud\]'"
    ):
        daemon.start(tmp_path / "data", Choices())
    assert not (tmp_path / "data").exists()
