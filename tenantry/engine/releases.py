"""The vendor's own releases.

No list of checksums for these versions is published apart from the releases, so none is pinned here: as the vendor
documents it, the checksums file of the release is fetched over TLS, and the archive is verified against it before
anything of it is unpacked. A release without a SHA-256 for the archive is not used.
"""

import hashlib
import platform
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.engine.pins import VENDOR, Part, Release

if TYPE_CHECKING:
    import httpx

_CONNECT_TIMEOUT: Final = 3.0
_READ_TIMEOUT: Final = 30.0
_CHUNK: Final = 1 << 20
_SUM_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(\S+)")


class DownloadError(Exception):
    """A release cannot be had: why, in one line."""


class Releases:
    """Downloads of one run. After a first failure to reach the vendor nothing more is tried.

    :param target: the folder that they go to
    :param vendor: the URL below which the vendor's repositories are
    """

    def __init__(self, target: Path, vendor: str = VENDOR) -> None:
        self._target = target
        self._base = vendor.rstrip("/")
        self._unreachable: str | None = None

    def fetch(self, part: Part, report: Callable[[str], None]) -> dict[str, Path]:
        """Download the executables of a part and return where they are. An earlier download is used again.

        :raises DownloadError: no release, no answer, or an archive that is not what the release says
        """
        release = part.release
        if release is None:
            raise DownloadError("there is no official download of it")
        archive = release.archive_for(platform.system(), platform.machine())
        if archive is None:
            raise DownloadError(f"no release for {platform.system()} on {platform.machine()}")
        folder = self._target / archive.removesuffix(".tar.gz")
        if not folder.is_dir():
            if self._unreachable:
                raise DownloadError(self._unreachable)
            report(f"download {archive}")
            self._target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=self._target) as work:
                file = self._download(release, archive, Path(work))
                unpacked = Path(work) / "unpacked"
                _unpack(file, part.executables, unpacked)
                unpacked.rename(folder)
        return {name: folder / name for name in part.executables}

    def _download(self, release: Release, archive: str, work: Path) -> Path:
        """Download the archive and compare it with the release's checksums."""
        import httpx

        page = f"{self._base}/{release.repository}/releases/download/v{release.version}"
        timeout = httpx.Timeout(_READ_TIMEOUT, connect=_CONNECT_TIMEOUT)
        secure = self._base.startswith("https:")
        try:
            with httpx.Client(follow_redirects=True, timeout=timeout) as client:
                if secure:
                    client.event_hooks = {"request": [_only_https]}
                sums = client.get(f"{page}/{release.checksums}")
                if sums.is_error:
                    raise DownloadError(f"{release.checksums}: HTTP status {sums.status_code}")
                wanted = _checksum(sums.text, archive)
                if wanted is None:
                    raise DownloadError(f"{release.checksums}: no SHA-256 of {archive}")
                file = work / archive
                found = _stream(client, f"{page}/{archive}", file)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self._unreachable = f"{httpx.URL(self._base).host} cannot be reached: {error}"
            raise DownloadError(self._unreachable) from error
        except httpx.TransportError as error:
            self._unreachable = f"{httpx.URL(self._base).host}: the download broke off: {error}"
            raise DownloadError(self._unreachable) from error
        if found != wanted:
            raise DownloadError(
                f"{archive}: SHA-256 {found}, but the release says {wanted}: not used"
            )
        return file


def _only_https(request: "httpx.Request") -> None:
    if request.url.scheme != "https":
        raise DownloadError(f"redirected to {request.url.scheme}://{request.url.host}: refused")


def _checksum(text: str, archive: str) -> str | None:
    """Find the SHA-256 of a file in the output format of sha256sum."""
    for line in text.splitlines():
        match = _SUM_LINE.fullmatch(line.strip())
        if match and match[2] == archive:
            return match[1]
    return None


def _stream(client: "httpx.Client", url: str, file: Path) -> str:
    """Download to a file and return its SHA-256."""
    digest = hashlib.sha256()
    with client.stream("GET", url) as response, file.open("wb") as out:
        if response.is_error:
            raise DownloadError(f"{file.name}: HTTP status {response.status_code}")
        for chunk in response.iter_bytes(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _unpack(archive: Path, executables: tuple[str, ...], target: Path) -> None:
    """Take the executables out of an archive, from whichever folder in it they are in."""
    target.mkdir()
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = Path(member.name).name
                if not member.isfile() or name not in executables:
                    continue
                content = tar.extractfile(member)
                if content is not None:
                    with content, (target / name).open("wb") as out:
                        shutil.copyfileobj(content, out)
                    (target / name).chmod(0o755)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DownloadError(f"{archive.name}: cannot be unpacked: {error}") from error
    missing = [name for name in executables if not (target / name).is_file()]
    if missing:
        raise DownloadError(f"{archive.name}: has no {', '.join(missing)}")
