"""Builds of the engine's parts from the Go modules that `toolchain/` pins."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from tenantry.engine import pins
from tenantry.engine.errors import EngineError
from tenantry.engine.golang import find_go, minimum
from tenantry.engine.progress import Progress
from tenantry.repository.shipped import shipped
from tenantry.surroundings import bare

TOOLCHAIN: Final = shipped("toolchain")
"""The Go modules."""

_CLI_PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_HOST_PACKAGE: Final = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
_SDK_MODULE: Final = "github.com/pulumi/pulumi/sdk/v3"
_VERSION_VARIABLE: Final = f"{_SDK_MODULE}/go/common/version.Version"

_SCRIPTS: Final = {
    "pulumi-language-python-exec": "python/cmd/pulumi-language-python-exec",
    "pulumi-resource-pulumi-python": "python/dist/pulumi-resource-pulumi-python",
}
"""Parts that are no binaries, by their place in the sdk module."""

_PLUGINS: Final = (
    "pulumi-resource-random",
    "pulumi-resource-postgresql",
    "pulumi-resource-terraform-provider",
)

_TAIL: Final = 15
_HINTS: Final = (
    (
        ("no space left on device",),
        "free some disk space (a first build needs about 4 GB), and run it again",
    ),
    (
        ("checksum mismatch", "SECURITY ERROR"),
        "a module is not what go.sum records: do not go on before you know why (a changed GOPROXY?)",
    ),
    (
        ("dial tcp", "no such host", "i/o timeout", "TLS handshake", "connection re", "502", "503"),
        "a module cannot be downloaded: check the network, or set GOPROXY, and run it again",
    ),
    (
        ("signal: killed", "cannot allocate memory"),
        "there is not enough memory: free some, and run it again",
    ),
)
_OTHERWISE: Final = "run it again; what is compiled already is kept"


class Builder:
    """Builds executables into a folder of the cache that is named for everything they depend on.

    :param cache: the engine's folder in the cache
    :param toolchain: the Go modules
    :param tag: a build tag; `stock` is for the tests of faults
    """

    def __init__(self, cache: Path, toolchain: Path = TOOLCHAIN, *, tag: str = "") -> None:
        self._cache = cache
        self._toolchain = toolchain
        self._tag = tag
        self._key: str | None = None

    @property
    def key(self) -> str:
        """The digest of the Go modules, the versions and the platform: one build for each."""
        if self._key is None:
            digest = hashlib.sha256()
            versions = (pins.PULUMI, pins.LANGUAGE_HOST, pins.RANDOM, pins.POSTGRESQL, pins.NEON)
            for text in (*versions, platform.system(), platform.machine()):
                digest.update(f"{text}\n".encode())
            for file in self._sources():
                content = file.read_bytes()
                digest.update(f"{file.relative_to(self._toolchain)} {len(content)}\n".encode())
                digest.update(content)
            if self._tag:
                digest.update(f"tag {self._tag}".encode())
            self._key = digest.hexdigest()[:16]
        return self._key

    @property
    def folder(self) -> Path:
        """Where the executables are once they are built."""
        return self._cache / self.key

    def missing(self, executables: Iterable[str]) -> list[str]:
        """Return those executables that have to be built."""
        return [name for name in executables if not os.access(self.folder / name, os.X_OK)]

    def build(self, executables: Collection[str], report: Callable[[str], None]) -> None:
        """Build the executables that are missing. Nothing is left half-made, and what is done is kept.

        :raises EngineError: which step failed, the compiler's last lines, what to do
        """
        wanted = self.missing(executables)
        if not wanted:
            return
        if not (self._toolchain / "go.mod").is_file():
            raise EngineError(
                f"{self._toolchain}: not found: a build needs the Go modules, which the package brings: install it again"
            )
        go = find_go(minimum(self._toolchain / "go.mod"), self._cache, report)
        self._cache.mkdir(parents=True, exist_ok=True)
        self._remove_stale()
        with tempfile.TemporaryDirectory(prefix=".build-", dir=self._cache) as work:
            _Build(
                go,
                self._toolchain,
                self._sources(),
                Path(work),
                self.folder,
                report,
                tag=self._tag,
            ).run(wanted)
        self._remove_stale()

    def _remove_stale(self) -> None:
        """Remove what killed builds left; their compilers may have written on after the first time."""
        for stale in self._cache.glob(".build-*"):
            shutil.rmtree(stale, ignore_errors=True)

    def _sources(self) -> list[Path]:
        """Return the files that a build depends on, in a fixed order."""
        if not self._toolchain.is_dir():
            return []
        return sorted(
            file
            for file in self._toolchain.rglob("*")
            # Go embeds no empty folder: the .gitignore is what keeps that of the schemas.
            if file.name in {"go.mod", "go.sum", ".gitignore"}
            or (file.suffix == ".go" and not file.name.endswith("_test.go"))
        )


def go_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the Go command: with the operator's proxy and caches, without their flags and secrets.

    A key for Neon's API would even get into the Neon plugin's schema.
    """
    return {
        **bare(os.environ),
        "CGO_ENABLED": "0",
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        **(extra or {}),
    }


class _Build:
    """One run of the build, in a folder of its own."""

    def __init__(
        self,
        go: Path,
        toolchain: Path,
        sources: list[Path],
        work: Path,
        folder: Path,
        report: Callable[[str], None],
        *,
        tag: str,
    ) -> None:
        self._go = go
        self._tag = tag
        self._work = work
        self._folder = folder
        self._report = report
        self._out = work / "out"
        self._out.mkdir()
        self._source = work / "toolchain"
        for file in sources:
            copy = self._source / file.relative_to(toolchain)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        self._progress = Progress(report, 0)
        self._compiled = 0

    def run(self, wanted: list[str]) -> None:
        plugins = [name for name in _PLUGINS if name in wanted]
        ours = [*plugins, *([pins.RESIDENT] if pins.RESIDENT in wanted else [])]
        packages = [f"./cmd/{name}" for name in ours]
        if "pulumi" in wanted:
            packages.append(_CLI_PACKAGE)
        schemas = pins.SCHEMAS in wanted or bool(ours)
        host = "pulumi-language-python" in wanted
        scripts = [name for name in _SCRIPTS if name in wanted]
        self._progress = Progress(
            self._report, 1 + 2 * schemas + bool(packages) + host + bool(scripts)
        )
        all_packages = [*packages, *(["./cmd/schemas"] if schemas else [])]
        with self._progress.step("download the Go modules that are not there yet"):
            total = self._download(all_packages, host)
        if schemas:
            with self._progress.step("compile the schema generator"):
                self._compile(self._source, ["./cmd/schemas"], total)
                self._keep([pins.SCHEMAS] if pins.SCHEMAS in wanted else [])
            with self._progress.step("compute the package schemas"):
                self._embed_schemas()
        if packages:
            names = [*ours, *(["pulumi"] if "pulumi" in wanted else [])]
            with self._progress.step(f"compile {', '.join(names)} (minutes the first time)"):
                self._compile(self._source, packages, total)
                self._keep(names)
        if host:
            with self._progress.step("compile pulumi-language-python"):
                self._compile(
                    self._source / "language-python", [_HOST_PACKAGE], None, pins.LANGUAGE_HOST
                )
                self._keep(["pulumi-language-python"])
        if scripts:
            with self._progress.step(f"copy {', '.join(scripts)}"):
                self._copy_scripts(scripts)

    def _download(self, packages: list[str], host: bool) -> int | None:
        """Load all packages, and with them the modules that they come from; return how many packages there are."""
        count: int | None = None
        if packages:
            listed = self._run(
                "download", self._source, [self._go, "list", "-mod=readonly", "-deps", *packages]
            )
            count = len(listed.splitlines())
        if host:
            folder = self._source / "language-python"
            self._run(
                "download", folder, [self._go, "list", "-mod=readonly", "-deps", _HOST_PACKAGE]
            )
        return count

    def _compile(
        self, folder: Path, packages: list[str], total: int | None, version: str = pins.PULUMI
    ) -> None:
        command: list[str | Path] = [
            *(self._go, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false"),
            # The Automation API refuses a CLI without a version.
            *(("-tags", self._tag) if self._tag else ()),
            *("-ldflags", f"-s -w -X {_VERSION_VARIABLE}=v{version}"),
            *("-o", f"{self._out}{os.sep}", *packages),
        ]

        def count(line: str) -> None:
            if line and not line.startswith(("#", "go:")):
                self._compiled += 1
                # Fewer than all of them where the operator's Go cache has some.
                most = f" of at most {total}" if total else ""
                self._progress.tick(f"{self._compiled}{most} packages compiled")

        self._run("compile", folder, command, count)

    def _embed_schemas(self) -> None:
        target = self._source / "internal" / "embedded" / "schemas"
        target.mkdir(exist_ok=True)
        self._run("schemas", self._source, [self._out / pins.SCHEMAS, "embed", target])

    def _copy_scripts(self, scripts: list[str]) -> None:
        command: list[str | Path] = [self._go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}"]
        module = Path(self._run("scripts", self._source, [*command, _SDK_MODULE]).strip())
        for name in scripts:
            shutil.copyfile(module / _SCRIPTS[name], self._out / name)
        self._keep(scripts)

    def _keep(self, names: Iterable[str]) -> None:
        """Move finished executables to their place, each in one go: a half-made one is never seen there."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            file = self._out / name
            file.chmod(0o755)
            # A copy for the second pass is not needed: only the schema generator is run during the build.
            if name == pins.SCHEMAS:
                kept = self._out / f"{name}.kept"
                shutil.copyfile(file, kept)
                kept.chmod(0o755)
                file = kept
            file.replace(self._folder / name)

    def _run(
        self,
        step: str,
        folder: Path,
        command: list[str | Path],
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        """Run a command and return its output; its other lines are handed on as they come."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", dir=self._work) as out:
            tail: list[str] = []
            with subprocess.Popen(  # noqa: S603 (the Go command, and what it built)
                command,
                cwd=folder,
                env=go_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            ) as process:
                try:
                    for raw in process.stderr or ():
                        line = raw.rstrip()
                        tail.append(line)
                        del tail[:-200]
                        if line.startswith("go: downloading "):
                            self._progress.tick(line.removeprefix("go: "))
                        elif on_line:
                            on_line(line)
                    status = process.wait()
                except BaseException:
                    # An interruption: the compiler must not go on in a folder that is removed.
                    process.terminate()
                    raise
            if status != 0:
                raise EngineError(_failure(step, tail))
            out.seek(0)
            return out.read()


def _failure(step: str, lines: list[str]) -> str:
    """Say which module or package failed, how, and what to do."""
    text = "\n".join(lines)
    hint = next((hint for signs, hint in _HINTS if any(s in text for s in signs)), _OTHERWISE)
    packages = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    # With -v Go prints a line for each package. They do not help to read the failure.
    told = [line for line in lines if " " in line and not line.startswith("go: downloading ")]
    where = packages[-1] if packages else _module(told)
    last = "\n".join(f"    {line}" for line in told[-_TAIL:])
    return f"{step}{f' {where}' if where else ''}: failed: {hint}\n{last}".rstrip()


def _module(lines: list[str]) -> str:
    """Find the module (`path@version`) that the last lines name."""
    for line in reversed(lines):
        for word in line.split():
            if "@v" in word and "/" in word:
                return word.rstrip(":,")
    return ""
