"""PostgreSQL's drivers of other languages, with the URL that the local cloud prints and the authority that it names.

Programs and pinned packages are in ``drivers``; what is made of them is kept in the cache. A language whose runtime is
not here is skipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
import trustme

from tenantry.engine.building import go_environment
from tenantry.engine.cache import cache_root
from tenantry.engine.golang import find_go, minimum
from tenantry.surroundings import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.support import Account, Project

SOURCES = Path(__file__).parent / "drivers"
JDBC = "postgresql-42.7.14.jar"
JDBC_SHA256 = "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c"
MAKE_SECONDS = 300
CONNECT_SECONDS = 30


@dataclass(frozen=True)
class Driver:
    """A program that connects as ``URI`` and ``CA_FILE`` say. ``RUNTIMES`` are the commands that it needs."""

    folder: Path
    LANGUAGE: ClassVar[str]
    RUNTIMES: ClassVar[tuple[str, ...]]

    def make(self) -> None:
        """Fetch the packages into the folder and build the program, whose sources are there."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return how the program is run."""
        raise NotImplementedError

    def run(self, *command: str | Path, environment: dict[str, str] | None = None) -> None:
        """Run a step of the making."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment or without_secrets(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MAKE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def connect(self, uri: str, authority: Path) -> subprocess.CompletedProcess[str]:
        """Run the program."""
        return subprocess.run(
            self.command(),
            env={"PATH": os.environ["PATH"], "URI": uri, "CA_FILE": str(authority)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CONNECT_SECONDS,
            check=False,
        )


class Node(Driver):
    """`pg`."""

    LANGUAGE = "node"
    RUNTIMES = ("node", "npm")

    def make(self) -> None:
        self.run("npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")

    def command(self) -> list[str]:
        return ["node", str(self.folder / "connect.js")]


class Go(Driver):
    """`pgx`."""

    LANGUAGE = "go"
    RUNTIMES = ("go",)

    def make(self) -> None:
        go = find_go(minimum(self.folder / "go.mod"), cache_root() / "engine", print)
        self.run(
            go, "build", "-trimpath", "-mod=readonly", "-o", "connect", environment=go_environment()
        )

    def command(self) -> list[str]:
        return [str(self.folder / "connect")]


class Java(Driver):
    """PostgreSQL's JDBC driver."""

    LANGUAGE = "java"
    RUNTIMES = ("java", "javac", "mvn")

    def make(self) -> None:
        maven = ("mvn", "--batch-mode", "--strict-checksums", "-Dmaven.repo.local=maven")
        self.run(*maven, "dependency:copy-dependencies", "-DoutputDirectory=.")
        shutil.rmtree(self.folder / "maven")
        found = hashlib.sha256((self.folder / JDBC).read_bytes()).hexdigest()
        assert found == JDBC_SHA256
        self.run("javac", "Connect.java")

    def command(self) -> list[str]:
        return [
            "java",
            "-cp",
            os.pathsep.join((str(self.folder), str(self.folder / JDBC))),
            "Connect",
        ]


@pytest.fixture(scope="module", params=[Node, Go, Java], ids=lambda kind: kind.LANGUAGE)
def driver(request: pytest.FixtureRequest) -> Driver:
    """A program that has been made, now or in an earlier run."""
    kind: type[Driver] = request.param
    missing = [name for name in kind.RUNTIMES if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    sources = SOURCES / kind.LANGUAGE
    digest = hashlib.sha256()
    for path in sorted(sources.iterdir()):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    folder = cache_root() / "drivers" / f"{kind.LANGUAGE}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            shutil.copytree(sources, Path(draft) / "made")
            kind(Path(draft) / "made").make()
            # Another run may have been quicker.
            with suppress(OSError):
                (Path(draft) / "made").rename(folder)
    return kind(folder)


@pytest.fixture(scope="module")
def project(account: Account) -> Iterator[Project]:
    made = account.project("drivers", branch={"role_name": "app_owner", "database_name": "app"})
    yield made
    made.delete()


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "pooled"])
def test_it_connects_verified_and_bound(driver: Driver, project: Project, *, pooled: bool) -> None:
    uri = project.pooled_uri if pooled else project.uri
    done = driver.connect(uri, project.account.cloud.ca_file)
    assert (done.stdout, done.returncode) == ("SCRAM-SHA-256-PLUS app_owner\n", 0), done.stderr


def test_it_refuses_what_another_authority_signed(
    driver: Driver, project: Project, tmp_path: Path
) -> None:
    stranger = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    done = driver.connect(project.uri, stranger)
    assert done.returncode != 0
    assert "certificat" in done.stderr.lower()
