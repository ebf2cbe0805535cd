"""The steps of the Containerfile, run without a container engine: its paths are below a folder of the test.

What is not tried here is what an engine does: the base image, the user, the file system that cannot be written.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tenantry.engine.building import Builder
from tenantry.engine.cache import cache_root
from tests.containerfile import instructions
from tests.engine.workspace import REPOSITORY, SECONDS

_PLACES = re.compile(r"(?<![\w.$}])/(?=(?:source|opt|platform|tmp)\b)")


class Image:
    """A folder in the place of a file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # As in the base image there is a Python, and no engine.
        base = root / "tmp" / "bin"
        base.mkdir(parents=True)
        (base / "python").symlink_to(sys.executable)
        others = os.environ["PATH"].split(os.pathsep)
        clean = [each for each in others if not Path(each, "pulumi").exists()]
        self.variables = {"PATH": os.pathsep.join([str(base), *clean])}
        self.folder = root
        self.kept: list[Path] = []

    def place(self, text: str) -> str:
        """Lead a text's paths into the folder."""
        return _PLACES.sub(f"{self.root}/", text)

    def do(self, word: str, rest: str) -> None:
        if word == "WORKDIR":
            self.folder = Path(self.place(rest))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for name, value in re.findall(r"(\w+)=(\S+)", self.place(rest)):
                self.variables[name] = value.replace("$PATH", self.variables["PATH"])
        elif word == "ARG":
            name, _, value = rest.partition("=")
            self.variables[name] = value
        elif word == "RUN":
            self.run(["bash", "-euc", self.place(rest)])
        elif word == "COPY" and rest.startswith("--from=build "):
            source, target = rest.split()[1:]
            assert source == target
            self.kept.append(Path(self.place(source)))
        elif word == "COPY":
            *names, target = rest.split()
            for name in names:
                self.copy(REPOSITORY / name, self.folder / (name if target == "./" else target))

    def copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)

    def run(self, command: list[str]) -> str:
        """Run a command as a step or a container would."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"HOME": str(self.root / "tmp"), **caches(), **self.variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def files(self) -> set[str]:
        """All that is in the image, without what a container has of its own."""
        own = {self.root / "tmp", self.root / "platform"}
        return {
            str(each.relative_to(self.root))
            for each in self.root.rglob("*")
            if not own & {each, *each.parents}
        }


def caches() -> dict[str, str]:
    """Packages that this machine has: a step's pip asks for them by their hashes."""
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


def test_the_steps_give_what_runs_and_nothing_else(tmp_path: Path) -> None:
    image = Image(tmp_path / "image")
    # The engine's own build is tried elsewhere: the cache has it already.
    key = Builder(cache_root() / "engine").key
    shutil.copytree(
        cache_root() / "engine" / key, image.root / "opt/engine/engine" / key, copy_function=os.link
    )
    for each in instructions():
        image.do(*each)
    # Of the first stage there is nothing left.
    for place in (image.root / "opt").iterdir():
        if place not in image.kept:
            shutil.rmtree(place)
    shutil.rmtree(image.root / "source")

    executables = {each.name for each in (image.root / "opt/engine").rglob("*") if each.is_file()}
    assert "pulumi" in executables
    assert not executables & {"schemas", "go"}
    assert not (image.root / "opt/tenantry/bin/pip").exists()
    before = image.files()
    (image.folder / "tenants.yaml").write_text("version: 1\ntenants: {}\n")
    entry = next(each.rest for each in instructions() if each.word == "ENTRYPOINT")
    assert entry == '["tenantry"]'
    assert image.run(["bash", "-c", "command -v tenantry"]).startswith(f"{image.root}/opt/")
    assert "pulumi " in image.run(["tenantry", "--version"])
    assert image.run(["tenantry", "engine"]) == ""
    assert "0 tenants, 0 apps: valid" in image.run(["tenantry", "validate"])
    assert image.run(["pulumi", "version"]).startswith("v")
    assert image.files() == before
