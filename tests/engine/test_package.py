"""A wheel in an environment of its own, without this source tree: from `tenantry init` to converged, and further.

What the wheel needs comes from the packages that the tests have; `pip install` from the lock is not tried here.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tenantry import __version__
from tenantry.engine.cache import cache_root
from tenantry.engine.pins import PULUMI
from tests.engine.printed import Shell, typed_on
from tests.engine.team import Team
from tests.engine.workspace import REPOSITORY, SECONDS, Finished, projects
from tests.github_server import github_server
from tests.localcloud_fixture import LocalCloud

IN_A_WHEEL = ("tenantry", "components", "providers", "localcloud", "sdks", "toolchain", "ci")
BESIDE = ("__main__.py", "CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml")
NEWER = "9.9.9"
CHOSEN = ("--cloud", "neon", "--stack", "test", "--namespace", "generated")


def build(source: Path, target: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source],
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )
    assert list(target.glob("*.tar.gz"))
    (wheel,) = target.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment that has a wheel."""

    bin: Path
    environment: dict[str, str]
    folder: Path
    """Where commands are run."""

    def run(self, *command: str | Path, code: int = 0) -> Finished:
        """Run a command of the environment."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        assert done.returncode == code, f"$ {command}\n{finished.said}"
        return finished

    def inside(self, folder: Path, **variables: str) -> "Installed":
        """Give the same, in another folder and with more variables."""
        return replace(self, folder=folder, environment={**self.environment, **variables})


def install(wheel: Path, folder: Path) -> Installed:
    """Make an environment with a wheel, and beside it the packages that this one has without what is editable."""
    place = folder / ".venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    pip = ("-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    subprocess.run([sys.executable, *pip], check=True, timeout=SECONDS)
    lend_packages(next((place / "lib").glob("python*")) / "site-packages")
    return Installed(place / "bin", surroundings(folder), folder)


def lend_packages(own: Path) -> None:
    """Let an environment find the packages that this one has, by the folder of its own."""
    # A path alone: the files of that folder which lead to the source tree are not read.
    (own / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")


def surroundings(folder: Path) -> dict[str, str]:
    """Return the variables of somebody who has this folder as home, and nothing of the source tree."""
    who = {
        f"GIT_{each}_{what}": "ann"
        for each in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {
        # Neither the tests' own commands nor their engine.
        "PATH": os.pathsep.join(
            each
            for each in os.environ["PATH"].split(os.pathsep)
            if not Path(each, "pulumi").exists()
        ),
        "HOME": str(folder),
        "TENANTRY_CACHE": str(cache_root()),
        **who,
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(REPOSITORY, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def platform(installed: Installed) -> Iterator[Installed]:
    """A repository that `tenantry init` made, converged on its local cloud."""
    # The command's own example.
    installed.run(*shlex.split("tenantry init platform --app acme/web"))
    platform = installed.inside(installed.folder / "platform")
    platform.run("tenantry", "up", "--yes")
    yield platform
    platform.run("localcloud", "stop")


def test_nothing_comes_from_the_source_tree(installed: Installed) -> None:
    names = "tenantry, components, providers, localcloud, pulumi_neon"
    said = installed.run(
        "python",
        "-c",
        f"import sys, {names}; print(sys.path, *(each.__file__ for each in ({names})))",
    ).out
    assert str(REPOSITORY / "tenantry") not in said
    assert str(REPOSITORY) not in re.findall(r"'([^']*)'", said)
    assert said.count("site-packages/") == len(names.split(","))


def test_a_new_repository_converges_and_stays_as_it_is(platform: Installed) -> None:
    again = platform.run("tenantry", "up", "--yes")
    assert "Done: nothing to change" in again.out
    status = subprocess.run(
        ["git", "status", "--porcelain"],
        cwd=platform.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert status.stdout == ""
    (row,) = json.loads(platform.run("tenantry", "status", "--json").out)
    assert (row["app"], row["schema"]) == ("acme/web", "base_0001")
    requirements = (platform.folder / "requirements.txt").read_text()
    assert re.search(
        rf"^\./wheels/tenantry-{re.escape(__version__)}-py3-none-any\.whl \\\n    --hash=sha256:",
        requirements,
        re.MULTILINE,
    )
    # By hand too: the program is found without this source tree. That writes the key's parameters (decision 57).
    url = platform.run("tenantry", "env").out
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"{url}\npulumi preview --expect-no-changes --non-interactive && git restore .",
        ],
        cwd=platform.folder,
        env=platform.environment | {"PULUMI_PYTHON_CMD": str(platform.bin / "python")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tutorial_works_as_printed(wheel: Path, tmp_path: Path) -> None:
    shutil.copy(wheel, tmp_path)
    # The tutorial makes the environment there, and pip finds all but the wheel installed.
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = tmp_path / ".venv" / "lib" / name / "site-packages"
    own.mkdir(parents=True)
    lend_packages(own)
    environment = surroundings(tmp_path)
    # The interpreter that these packages are for.
    base = Path(sys.base_prefix) / "bin"
    environment |= {"PATH": f"{base}{os.pathsep}{environment['PATH']}", "PIP_NO_INDEX": "1"}
    typed = typed_on("tutorial.md")
    shell = Shell(tmp_path, environment)
    try:
        shell.session(typed, {"tenantry plan": 2})
    finally:
        shell.run("test ! -d platform || (cd platform && ../.venv/bin/localcloud stop)")
    assert "tenantry keys rotate acme/web default --write" in [each.line for each in typed]


class Generated(Team):
    """A repository that `tenantry init` made, and everything that GitHub does with it."""

    installed: Installed

    def begin(self) -> None:
        self.installed.inside(self.work).run("tenantry", "init", ".", *CHOSEN, "--ci", "github")


def test_a_generated_repositorys_pull_request(
    installed: Installed, cloud: LocalCloud, tmp_path: Path
) -> None:
    # The stack is made in the project that the repository has.
    installed.run("tenantry", "init", tmp_path / "first", *CHOSEN)
    Generated.installed = installed
    Generated.project = tmp_path / "first" / "Pulumi.yaml"
    Generated.environment = installed.bin.parent
    installed.run("tenantry", "engine")
    with github_server() as server:
        team = Generated(tmp_path / "team", cloud, server)
        # The machine has the packages already.
        shutil.copy(team.work / "requirements.txt", installed.bin.parent)
        text = (team.work / "tenants.yaml").read_text()
        change = team.propose(text.replace("deletion: protect", "deletion: delete"))
        job = team.review(change)
        assert (job.code, job.ran()) == (0, ["Set up", "Plan", "Comment"]), job.out("Plan")
        assert "### Apps: 1 to create, 0 unchanged." in team.comment(change)
        done = team.apply(team.merge(change))
        assert done.code == 0, done.steps
        assert done.ran() == ["Set up", "Fetch the plan", "Apply", "Release the lock"]
        assert projects(cloud, "generated--") == ["generated--acme--web"]
        assert team.look().code == 0
        assert server.issues == []


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with another version, whose default for a limit is another one."""
    source = tmp_path_factory.mktemp("newer") / "source"
    for name in IN_A_WHEEL:
        shutil.copytree(
            REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in (*(REPOSITORY / name for name in BESIDE), *REPOSITORY.glob("requirements*.lock")):
        shutil.copy(file, source)
    for name, old, new in (
        ("tenantry/__init__.py", f'"{__version__}"', f'"{NEWER}"'),
        ("tenantry/registry/models.py", "connection_limit: int = 20", "connection_limit: int = 21"),
        (
            "CHANGELOG.md",
            "## Unreleased\n",
            f"## {NEWER}\n\n- Another limit.\n\n## {__version__}\n",
        ),
    ):
        text = (source / name).read_text()
        assert old in text
        (source / name).write_text(text.replace(old, new, 1))
    wheel = build(source, source.parent / "dist")
    shutil.rmtree(source)
    return install(wheel, tmp_path_factory.mktemp("installed-newer"))


def test_an_upgrade_shows_what_it_changes_and_changes_that_alone(
    platform: Installed, newer: Installed
) -> None:
    other = newer.inside(platform.folder)
    other.run("tenantry", "engine")
    assert f"pulumi {PULUMI}" in other.run("tenantry", "--version").out.splitlines()
    # The command's own example, by the newer version.
    checked = other.run(*shlex.split("tenantry upgrade --check"), code=2).out
    assert checked.startswith(f"{__version__} → {NEWER}\n")
    assert "- Another limit." in checked
    assert "acme/web: update\n  database.connection_limit: 20 → 21\n" in checked
    plan = json.loads(other.run("tenantry", "upgrade", "--check", "--json", code=2).out)["plan"]
    own = json.loads(platform.run("tenantry", "plan", "--json").out)
    programs = {each["stacks"][0]["digests"]["program"] for each in (plan, own)}
    assert len(programs) == 2
    assert [(row["app"], row["action"]) for row in plan["rows"]] == [("acme/web", "update")]

    before = json.loads(platform.run("tenantry", "status", "--json").out)
    other.run("tenantry", "upgrade")
    assert f"./wheels/tenantry-{NEWER}-" in (platform.folder / "requirements.txt").read_text()
    changed = other.run("tenantry", "up", "--yes").out
    assert re.search(r"^Done: \d updated; ", changed, re.MULTILINE)
    assert "Done: nothing to change" in other.run("tenantry", "up", "--yes").out
    after = json.loads(other.run("tenantry", "status", "--json").out)
    assert [row["project"] for row in after] == [row["project"] for row in before]
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    moved = subprocess.run(status, cwd=platform.folder, capture_output=True, text=True, check=True)
    assert {line[3:] for line in moved.stdout.splitlines()} == {
        "requirements.txt",
        f"wheels/tenantry-{NEWER}-py3-none-any.whl",
        f"wheels/tenantry-{__version__}-py3-none-any.whl",
    }
