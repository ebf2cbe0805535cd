"""Which version of Tenantry a repository pins: a wheel in it or at a URL, with the hashes of all that it needs."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from tenantry import __version__
from tenantry.repository.errors import RepositoryError

FOLDER: Final = "wheels"
REQUIREMENTS: Final = "requirements.txt"
_NAME: Final = re.compile(r"tenantry-(?P<version>[^-]+)-py3-none-any\.whl")
_LOCKS: Final = {False: "requirements.lock", True: "requirements-localcloud.lock"}
"""By whether the local cloud is wanted."""
_SHIPPED: Final = "tenantry/shipped_files"
_HEAD: Final = """\
# The version of Tenantry, and all that it needs. Install it from this folder:
#   pip install --require-hashes -r requirements.txt
"""
_GIVE: Final = "give it the file: --wheel tenantry-{version}-py3-none-any.whl"


@dataclass(frozen=True)
class Pin:
    """A version of Tenantry, as a repository pins it."""

    version: str
    digest: str
    """SHA-256 of the wheel, in hexadecimal."""
    lock: str
    """What the version needs, as lines of a requirements file with hashes."""
    wheel: Path | None = None
    """The file, which the repository takes in."""
    url: str = ""
    """Where it is, instead."""

    @property
    def path(self) -> str:
        """Where the repository has the wheel."""
        return f"{FOLDER}/tenantry-{self.version}-py3-none-any.whl"

    def requirements(self) -> str:
        """Return the text of `requirements.txt`."""
        which = f"tenantry @ {self.url}" if self.url else f"./{self.path}"
        return f"{_HEAD}{which} \\\n    --hash=sha256:{self.digest}\n{self.lock}"


def pin_running(given: Path | None, *, local_cloud: bool) -> Pin:
    """Pin the version that runs.

    :param given: its wheel; by default the one that it was installed from
    :param local_cloud: whether the repository needs the local cloud
    :raises RepositoryError: the wheel is not known, not there any more, or another version
    """
    if given is None:
        url, digest = _installed_from()
        if urlsplit(url).scheme != "file":
            return Pin(__version__, digest, _own_lock(local_cloud=local_cloud), url=url)
        given = Path(unquote(urlsplit(url).path))
        if not given.is_file():
            raise RepositoryError(
                f"{given}: this was installed from it, and it is not there any more: {_give()}"
            )
        if digest and digest != _digest(given):
            raise RepositoryError(
                f"{given}: another file than what this was installed from: {_give()}"
            )
    pin = pin_wheel(given, local_cloud=local_cloud)
    if pin.version != __version__:
        raise RepositoryError(
            f"{given}: is version {pin.version}, and this is {__version__}: {_give()}"
        )
    return pin


def pin_wheel(file: Path, *, local_cloud: bool) -> Pin:
    """Pin the version that a wheel has.

    :param local_cloud: whether the repository needs the local cloud
    :raises RepositoryError: it is no wheel of Tenantry
    """
    named = _NAME.fullmatch(file.name)
    if named is None:
        raise RepositoryError(f"{file}: is not called as a wheel is: {_give('VERSION')}")
    lock = read_shipped(file, _LOCKS[local_cloud]).decode()
    return Pin(named["version"], _digest(file), lock, wheel=file.absolute())


def read_shipped(wheel: Path, name: str) -> bytes:
    """Return a file that a wheel brings beside the packages.

    :param name: its path in the source tree
    :raises RepositoryError: it is no wheel of Tenantry
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(f"{_SHIPPED}/{name}")
    except (OSError, zipfile.BadZipFile) as error:
        raise RepositoryError(f"{wheel}: cannot be read: {error}") from None
    except KeyError:
        raise RepositoryError(f"{wheel}: is no wheel of Tenantry: it has no {name}") from None


def pinned_version(folder: Path) -> str:
    """Return the version that a repository pins.

    :raises RepositoryError: it pins none
    """
    file = folder / REQUIREMENTS
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise RepositoryError(
            f"{file}: cannot be read: {error.strerror}: tenantry init makes one"
        ) from None
    for line in text.splitlines():
        if found := re.match(r"tenantry==([^\s;]+)", line) or _NAME.search(line.split(" \\")[0]):
            return found[1]
    raise RepositoryError(f"{file}: pins no version of tenantry: tenantry init writes such a file")


def pinned_wheel(folder: Path) -> Path | None:
    """Return the wheel that a repository has of the version that it pins; None where it is elsewhere."""
    file = folder / FOLDER / f"tenantry-{pinned_version(folder)}-py3-none-any.whl"
    return file if file.is_file() else None


def has_local_cloud(folder: Path) -> bool:
    """Tell whether a repository's requirements have what the local cloud needs."""
    return "\nembedded-postgres==" in (folder / REQUIREMENTS).read_text("utf-8")


def _give(version: str = __version__) -> str:
    return _GIVE.format(version=version)


def _own_lock(*, local_cloud: bool) -> str:
    from tenantry.repository.shipped import shipped

    return shipped(_LOCKS[local_cloud]).read_text("utf-8")


def _installed_from() -> tuple[str, str]:
    """Return the URL of the wheel that this was installed from, and its SHA-256, empty where the installer kept none.

    Python packaging specifications, "Recording the Direct URL Origin of installed distributions".
    """
    text = metadata.distribution("tenantry").read_text("direct_url.json")
    found = json.loads(text or "{}")
    if "archive_info" not in found:
        where = (
            "from an index" if not text else "from a source tree, of which make wheel builds one"
        )
        raise RepositoryError(
            f"a repository pins a wheel, and this was installed {where}: {_give()}"
        )
    info = found["archive_info"]
    digest = str(info.get("hashes", {}).get("sha256") or info.get("hash", "")).removeprefix(
        "sha256="
    )
    if not digest and not found["url"].startswith("file:"):
        raise RepositoryError(f"{found['url']}: its hash was not kept: {_give()}")
    return str(found["url"]), digest


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
