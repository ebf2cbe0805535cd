"""PostgreSQL's drivers of other languages, with the URL that the local cloud prints and the authority that it names.

Hosts are addresses, and names where the machine can be made to resolve them. Programs and pinned packages are in
``drivers``. A language whose runtime is not here is skipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
import trustme

from tenantry.engine.building import go_environment
from tenantry.engine.cache import cache_root
from tenantry.engine.golang import find_go, minimum
from tests.localcloud.foreign import install_node_packages, made, need, run_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.localcloud.conftest import Place
    from tests.localcloud.support import Project

SOURCES = Path(__file__).parent / "drivers"
JDBC = "postgresql-42.7.14.jar"
JDBC_SHA256 = "73914527305a40cce504b0d3d90b23caf565136912d607ae8ae7c5895512332c"
CONNECT_SECONDS = 30


@dataclass(frozen=True)
class Driver:
    """A program that connects as ``URI`` and ``CA_FILE`` say. ``RUNTIMES`` are the commands that it needs."""

    folder: Path
    LANGUAGE: ClassVar[str]
    RUNTIMES: ClassVar[tuple[str, ...]]

    @staticmethod
    def make(folder: Path) -> None:
        """Fetch the packages into the folder and build the program, whose sources are there."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return how the program is run."""
        raise NotImplementedError

    def connect(
        self, uri: str, authority: Path, machine: Sequence[str]
    ) -> subprocess.CompletedProcess[str]:
        """Run the program, on the machine that ``machine`` leads to."""
        return subprocess.run(
            [*machine, *self.command()],
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

    @staticmethod
    def make(folder: Path) -> None:
        install_node_packages(folder)

    def command(self) -> list[str]:
        return ["node", str(self.folder / "connect.js")]


class Go(Driver):
    """`pgx`."""

    LANGUAGE = "go"
    RUNTIMES = ("go",)

    @staticmethod
    def make(folder: Path) -> None:
        go = find_go(minimum(folder / "go.mod"), cache_root() / "engine", print)
        build = ("build", "-trimpath", "-mod=readonly", "-o", "connect")
        run_step(folder, go, *build, environment=go_environment())

    def command(self) -> list[str]:
        return [str(self.folder / "connect")]


class Java(Driver):
    """PostgreSQL's JDBC driver."""

    LANGUAGE = "java"
    RUNTIMES = ("java", "javac", "mvn")

    @staticmethod
    def make(folder: Path) -> None:
        maven = ("mvn", "--batch-mode", "--strict-checksums", "-Dmaven.repo.local=maven")
        run_step(folder, *maven, "dependency:copy-dependencies", "-DoutputDirectory=.")
        shutil.rmtree(folder / "maven")
        found = hashlib.sha256((folder / JDBC).read_bytes()).hexdigest()
        assert found == JDBC_SHA256
        run_step(folder, "javac", "Connect.java")

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
    need(*kind.RUNTIMES)
    return kind(made(SOURCES / kind.LANGUAGE, kind.make))


@pytest.fixture(scope="module")
def project(place: Place) -> Iterator[Project]:
    branch = {"role_name": "app_owner", "database_name": "app"}
    project = place.account.project("drivers", branch=branch)
    yield project
    project.delete()


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "pooled"])
def test_it_connects_verified_and_bound(
    driver: Driver, place: Place, project: Project, *, pooled: bool
) -> None:
    uri = project.pooled_uri if pooled else project.uri
    done = driver.connect(uri, place.account.cloud.ca_file, place.machine)
    assert (done.stdout, done.returncode) == ("SCRAM-SHA-256-PLUS app_owner\n", 0), done.stderr


def test_it_refuses_what_another_authority_signed(
    driver: Driver, place: Place, project: Project, tmp_path: Path
) -> None:
    stranger = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    done = driver.connect(project.uri, stranger, place.machine)
    assert done.returncode != 0
    assert "certificat" in done.stderr.lower()
