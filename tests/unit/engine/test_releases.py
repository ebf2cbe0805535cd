import hashlib
import io
import platform
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tenantry.engine.pins import CLI, NEON_PLUGIN, POSTGRESQL_PLUGIN, RANDOM_PLUGIN, Part
from tenantry.engine.releases import DownloadError, Releases, _only_https


def archive_of(part: Part) -> str:
    assert part.release is not None
    name = part.release.archive_for(platform.system(), platform.machine())
    assert name is not None
    return name


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Vendor:
    """A release host on loopback: files by path, and the paths that were asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cut_off: set[str] = set()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vendor.asked.append(self.path)
                content = vendor.files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                body = content or b""
                self.wfile.write(body[: len(body) // 2] if self.path in vendor.cut_off else body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def page(self, part: Part) -> str:
        assert part.release is not None
        return f"/{part.release.repository}/releases/download/v{part.release.version}"

    def publish(self, part: Part, content: bytes, sums: str | None = None) -> str:
        assert part.release is not None
        path = f"{self.page(part)}/{archive_of(part)}"
        self.files[path] = content
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"{self.page(part)}/{part.release.checksums}"] = (
            sums or f"{'0' * 64}  other.tar.gz\n{digest}  {archive_of(part)}\n"
        ).encode()
        return path


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    host = Vendor()
    yield host
    host.stop()


CLI_FILES = {f"pulumi/{name}": name.encode() for name in CLI.executables}


def test_a_verified_archive_is_unpacked(vendor: Vendor, tmp_path: Path, lines: list[str]) -> None:
    vendor.publish(
        CLI, packed({"pulumi/README.md": b"x", "pulumi/pulumi-watch": b"y", **CLI_FILES})
    )
    found = Releases(tmp_path, vendor.url).fetch(CLI, lines.append)
    assert {name: path.read_bytes() for name, path in found.items()} == {
        name: name.encode() for name in CLI.executables
    }
    assert all(path.stat().st_mode & 0o111 for path in found.values())
    folder = found["pulumi"].parent
    assert sorted(each.name for each in folder.iterdir()) == sorted(CLI.executables)
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]
    assert lines == [f"download {archive_of(CLI)}"]


def test_a_download_is_used_again(vendor: Vendor, tmp_path: Path, lines: list[str]) -> None:
    vendor.publish(CLI, packed(CLI_FILES))
    first = Releases(tmp_path, vendor.url).fetch(CLI, lines.append)
    vendor.files.clear()
    assert Releases(tmp_path, vendor.url).fetch(CLI, lines.append) == first


def test_plugins_come_from_their_own_repositories(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    for part in (RANDOM_PLUGIN, POSTGRESQL_PLUGIN):
        vendor.publish(part, packed({part.executables[0]: b"plugin"}))
        found = Releases(tmp_path, vendor.url).fetch(part, lines.append)
        assert found[part.executables[0]].read_bytes() == b"plugin"


@pytest.mark.parametrize("marker", ["  ", " *", "  ./"])
def test_checksums_are_read_in_each_form(
    marker: str, vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    content = packed(CLI_FILES)
    digest = hashlib.sha256(content).hexdigest()
    vendor.publish(CLI, content, f"{digest}{marker}{archive_of(CLI)}\n")
    assert Releases(tmp_path, vendor.url).fetch(CLI, lines.append)


def refused(vendor: Vendor, tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DownloadError, match=message):
        Releases(tmp_path, vendor.url).fetch(CLI, lines.append)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_is_refused(vendor: Vendor, tmp_path: Path, lines: list[str]) -> None:
    vendor.publish(CLI, packed(CLI_FILES), f"{'a' * 64}  {archive_of(CLI)}\n")
    refused(vendor, tmp_path, lines, "but the release says a{64}: not used")


def test_another_kind_of_checksum_is_refused(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    content = packed(CLI_FILES)
    digest = hashlib.sha1(content).hexdigest()  # the kind that is not to be trusted
    vendor.publish(CLI, content, f"{digest}  {archive_of(CLI)}\n")
    refused(vendor, tmp_path, lines, "no SHA-256 of")
    assert not any(path.endswith(".tar.gz") for path in vendor.asked)


def test_a_download_that_breaks_off_is_refused(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    vendor.cut_off.add(vendor.publish(CLI, packed(CLI_FILES)))
    refused(vendor, tmp_path, lines, "the download broke off")


def test_a_truncated_archive_is_refused(vendor: Vendor, tmp_path: Path, lines: list[str]) -> None:
    whole = packed(CLI_FILES)
    digest = hashlib.sha256(whole).hexdigest()
    vendor.publish(CLI, whole[: len(whole) // 2], f"{digest}  {archive_of(CLI)}\n")
    refused(vendor, tmp_path, lines, "not used")


def test_an_archive_that_is_none_is_refused(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    vendor.publish(CLI, b"not an archive")
    refused(vendor, tmp_path, lines, "cannot be unpacked")


def test_an_archive_without_the_language_host_is_refused(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    vendor.publish(CLI, packed({"pulumi/pulumi": b"x"}))
    refused(vendor, tmp_path, lines, "has no pulumi-language-python")


def test_a_release_without_checksums_is_refused(
    vendor: Vendor, tmp_path: Path, lines: list[str]
) -> None:
    refused(vendor, tmp_path, lines, "HTTP status 404")


def test_an_unreachable_vendor_is_asked_once(tmp_path: Path, lines: list[str]) -> None:
    vendor = Vendor()
    vendor.stop()
    releases = Releases(tmp_path, vendor.url)
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached"):
        releases.fetch(CLI, lines.append)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached"):
        releases.fetch(RANDOM_PLUGIN, lines.append)
    assert lines == [f"download {archive_of(CLI)}"]
    assert time.monotonic() - started < 4


def test_a_part_without_a_release_is_not_asked_for(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(DownloadError, match="no official download"):
        Releases(tmp_path).fetch(NEON_PLUGIN, lines.append)


def test_a_redirect_away_from_tls_is_refused() -> None:
    with pytest.raises(DownloadError, match=r"redirected to http://example\.org"):
        _only_https(httpx.Request("GET", "http://example.org/x"))
    _only_https(httpx.Request("GET", "https://example.org/x"))
