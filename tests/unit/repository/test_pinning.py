import hashlib
import json
from importlib import metadata
from pathlib import Path

import pytest

from tenantry import __version__
from tenantry.repository.errors import RepositoryError
from tenantry.repository.pinning import (
    has_local_cloud,
    pin_running,
    pin_wheel,
    pinned_version,
)
from tests.unit.repository.conftest import LOCAL_LOCK, LOCK, MakeWheel


def installed(monkeypatch: pytest.MonkeyPatch, origin: object) -> None:
    class Distribution:
        def read_text(self, _name: str) -> str | None:
            return None if origin is None else json.dumps(origin)

    monkeypatch.setattr(metadata, "distribution", lambda _name: Distribution())


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_requirements_are_the_wheel_and_its_lock(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel("1.2.3")
    pin = pin_wheel(wheel, local_cloud=False)
    assert pin.requirements().partition("-r requirements.txt\n")[2] == (
        f"./wheels/tenantry-1.2.3-py3-none-any.whl \\\n    --hash=sha256:{digest(wheel)}\n{LOCK}"
    )
    (tmp_path / "requirements.txt").write_text(pin.requirements())
    assert pinned_version(tmp_path) == "1.2.3"
    assert not has_local_cloud(tmp_path)
    (tmp_path / "requirements.txt").write_text(pin_wheel(wheel, local_cloud=True).requirements())
    assert has_local_cloud(tmp_path)


def test_the_wheel_is_found_that_this_was_installed_from(
    make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel()
    # As pip writes it; uv leaves the hash out.
    info = {"hashes": {"sha256": digest(wheel)}}
    for each in (info, {}):
        installed(monkeypatch, {"url": wheel.as_uri(), "archive_info": each})
        pin = pin_running(None, local_cloud=True)
        assert (pin.version, pin.digest, pin.wheel) == (__version__, digest(wheel), wheel)
        assert pin.lock == LOCAL_LOCK
    wheel.write_bytes(wheel.read_bytes() + b" ")
    installed(monkeypatch, {"url": wheel.as_uri(), "archive_info": info})
    with pytest.raises(RepositoryError, match="another file than what this was installed from"):
        pin_running(None, local_cloud=True)
    wheel.unlink()
    with pytest.raises(RepositoryError, match="not there any more: give it the file: --wheel"):
        pin_running(None, local_cloud=True)


def test_a_wheel_at_a_url_is_pinned_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"https://acme.example/tenantry-{__version__}-py3-none-any.whl"
    installed(monkeypatch, {"url": url, "archive_info": {"hash": "sha256=abcd"}})
    pin = pin_running(None, local_cloud=False)
    assert f"tenantry @ {url} \\\n    --hash=sha256:abcd\n" in pin.requirements()
    (tmp_path / "requirements.txt").write_text(pin.requirements())
    assert pinned_version(tmp_path) == __version__


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (None, "from an index"),
        ({"url": "file:///src", "dir_info": {"editable": True}}, "from a source tree"),
    ],
)
def test_without_a_wheel_it_is_asked_for(
    origin: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, origin)
    with pytest.raises(RepositoryError, match=f"{said}.*--wheel tenantry-"):
        pin_running(None, local_cloud=False)


def test_another_file_or_version_is_refused(make_wheel: MakeWheel, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"is version 9\.9\.9, and this is"):
        pin_running(make_wheel("9.9.9"), local_cloud=False)
    other = tmp_path / "other-1.0-py3-none-any.whl"
    other.touch()
    with pytest.raises(RepositoryError, match="not called as a wheel is"):
        pin_running(other, local_cloud=False)
    broken = tmp_path / "tenantry-1.0-py3-none-any.whl"
    broken.write_text("no archive")
    with pytest.raises(RepositoryError, match="cannot be read"):
        pin_running(broken, local_cloud=False)


def test_requirements_that_pin_no_version_are_said(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"requirements.txt: cannot be read"):
        pinned_version(tmp_path)
    (tmp_path / "requirements.txt").write_text("httpx==0.28.1\n")
    with pytest.raises(RepositoryError, match="pins no version of tenantry"):
        pinned_version(tmp_path)
    (tmp_path / "requirements.txt").write_text("tenantry==0.3.0 --hash=sha256:aa\n")
    assert pinned_version(tmp_path) == "0.3.0"
