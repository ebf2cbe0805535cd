"""Putting the engine in place: which part from where, the links to it, and a stamp so that it is done once."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.engine.building import TOOLCHAIN, Builder
from tenantry.engine.cache import cache_root, locked
from tenantry.engine.errors import EngineError
from tenantry.engine.pins import CLI, NEON_PLUGIN, PARTS, RESIDENT, SCHEMAS, VENDOR, Part, Source

if TYPE_CHECKING:
    from tenantry.engine.releases import Releases

STAMP: Final = ".tenantry-engine.json"
"""In the folder of the links: which engine they lead to."""
_KEEP_SECONDS: Final = 30 * 24 * 3600.0
_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {
    CLI.name: (RESIDENT,),
    NEON_PLUGIN.name: (SCHEMAS,),
}
"""What is built along with a part, where that is built."""


@dataclass(frozen=True, slots=True)
class Located:
    """An executable of the engine: the link to it, what it links to, and where that came from."""

    link: Path
    target: Path
    origin: Source


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine in place: its executables by name."""

    executables: Mapping[str, Located]

    @property
    def pulumi(self) -> Path:
        """The Pulumi CLI."""
        return self.executables["pulumi"].link


def ensure(
    bin_dir: Path,
    *,
    source: Source | None = None,
    report: Callable[[str], None] = print,
    cache: Path | None = None,
    toolchain: Path = TOOLCHAIN,
    vendor: str = VENDOR,
) -> Engine:
    """Make the engine available as links in a folder. Where all is in place nothing is reported, and it is instant.

    :param bin_dir: the folder for the links, which must exist
    :param source: the only source to take parts from; by default `$TENANTRY_ENGINE`, else PATH, download, build in turn
    :param report: is given one line at a time: steps, how far they are, and where a part does not come from the first
        source
    :param cache: by default `cache_root()`
    :param toolchain: the Go modules
    :param vendor: the URL below which the official releases are
    :raises EngineError: a part cannot be had; what is in place already stays
    """
    root = (cache or cache_root()) / "engine"
    only = source or _from_environment()
    builder = Builder(root, toolchain)
    stamp = bin_dir / STAMP
    identity = {"key": builder.key, "source": only.value if only else "any"}
    if engine := _in_place(bin_dir, stamp, identity):
        return engine
    if not bin_dir.is_dir():
        raise EngineError(f"{bin_dir}: no such folder: make the virtual environment first")
    from tenantry.engine.releases import Releases

    with locked(root, report):
        releases = Releases(root / "official", vendor)
        targets = _Search(bin_dir, only, builder, releases, report).targets()
        engine = _link(bin_dir, targets)
        _write(stamp, identity, engine)
        _forget_old(root, builder.folder)
    return engine


def in_place(bin_dir: Path) -> Engine | None:
    """Return the engine of this version that a folder has links to; None where it has none, or of another version."""
    builder = Builder(cache_root() / "engine")
    return _in_place(bin_dir, bin_dir / STAMP, {"key": builder.key})


def prune(bin_dir: Path) -> None:
    """Remove from the cache all that the links of a folder do not lead to: other builds, downloads, the compiler.

    :raises EngineError: the folder has no links to the engine of this version
    """
    engine = in_place(bin_dir)
    if engine is None:
        raise EngineError(f"{bin_dir}: has no links to the engine: tenantry engine makes them")
    root = cache_root() / "engine"
    kept = {each.target for each in engine.executables.values()}
    for place in sorted(root.rglob("*"), reverse=True):
        if place.is_dir() and not place.is_symlink():
            with suppress(OSError):
                # One that is not empty stays.
                place.rmdir()
        elif place not in kept:
            place.unlink()


def _from_environment() -> Source | None:
    text = os.environ.get("TENANTRY_ENGINE", "")
    if not text:
        return None
    try:
        return Source(text)
    except ValueError:
        allowed = ", ".join(Source)
        raise EngineError(
            f"TENANTRY_ENGINE: {text!r} is not one of {allowed}: set one, or unset it"
        ) from None


class _Search:
    """Looks for each part in the sources that are allowed, in their order."""

    def __init__(
        self,
        bin_dir: Path,
        only: Source | None,
        builder: Builder,
        releases: "Releases",
        report: Callable[[str], None],
    ) -> None:
        self._bin_dir = bin_dir
        self._only = only
        self._builder = builder
        self._releases = releases
        self._report = report
        self._told: set[str] = set()

    def targets(self) -> dict[str, tuple[Path, Source]]:
        """Find or make each part; return the executables with their origins."""
        targets: dict[str, tuple[Path, Source]] = {}
        to_build: list[str] = []
        for part in PARTS:
            if (found := self._on_path(part)) is not None:
                targets |= {name: (path, Source.PATH) for name, path in found.items()}
            elif (found := self._fetch_release(part)) is not None:
                targets |= {name: (path, Source.DOWNLOAD) for name, path in found.items()}
            else:
                to_build += [*part.executables, *_BESIDE.get(part.name, ())]
        self._builder.build(to_build, self._report)
        built = self._builder.folder
        return targets | {
            name: (built / name, Source.BUILD) for name in to_build if name != SCHEMAS
        }

    def _on_path(self, part: Part) -> dict[str, Path] | None:
        from tenantry.engine.installed import on_path

        if self._only not in {None, Source.PATH}:
            return None
        found = on_path(part, self._bin_dir)
        if found is None and self._only is Source.PATH:
            note = " (only this project's build of it counts)" if part is NEON_PLUGIN else ""
            raise EngineError(
                f"{part.name}: not on PATH, or too old{note}: install it, or unset TENANTRY_ENGINE"
            )
        return found

    def _fetch_release(self, part: Part) -> dict[str, Path] | None:
        from tenantry.engine.releases import DownloadError

        if self._only not in {None, Source.DOWNLOAD} or part.release is None:
            return None
        # A build that is there costs nothing. An earlier run chose to make it.
        if self._only is None and not self._builder.missing(part.executables):
            return None
        try:
            return self._releases.fetch(part, self._report)
        except DownloadError as error:
            reason = str(error)
            if self._only is Source.DOWNLOAD:
                raise EngineError(
                    f"{part.name}: {reason}: check the network, or unset TENANTRY_ENGINE to build it"
                ) from error
            if reason not in self._told:
                self._report(f"{part.name}: no official download ({reason}): it is built instead")
                self._told.add(reason)
            return None


def _link(bin_dir: Path, targets: Mapping[str, tuple[Path, Source]]) -> Engine:
    """Make or renew the links, each in one step: an executable that is started meanwhile is the old or the new one."""
    located: dict[str, Located] = {}
    if RESIDENT not in targets:
        # Of an earlier build: the CLI is another's now.
        (bin_dir / RESIDENT).unlink(missing_ok=True)
    for name, (target, origin) in targets.items():
        link = bin_dir.absolute() / name
        if not _links_to(link, target):
            if link.exists() and not link.is_symlink():
                raise EngineError(
                    f"{link}: is a file of another's making: remove it, or choose another folder"
                )
            fresh = link.with_name(f".{name}.{os.getpid()}")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)
        located[name] = Located(link, target, origin)
    return Engine(located)


def _links_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.readlink() == target


def _write(stamp: Path, identity: Mapping[str, str], engine: Engine) -> None:
    content = {
        **identity,
        "executables": {
            name: {"target": str(each.target), "origin": each.origin.value}
            for name, each in engine.executables.items()
        },
    }
    fresh = stamp.with_name(f"{stamp.name}.{os.getpid()}")
    fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    fresh.replace(stamp)


def _in_place(bin_dir: Path, stamp: Path, identity: Mapping[str, str]) -> Engine | None:
    """Return the engine if the stamp is of the same pins, and every link leads where it says."""
    try:
        content = json.loads(stamp.read_text(encoding="utf-8"))
        if {name: content[name] for name in identity} != dict(identity):
            return None
        located = {
            name: Located(bin_dir.absolute() / name, Path(each["target"]), Source(each["origin"]))
            for name, each in content["executables"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No stamp, or not one of ours: it is made again.
        return None
    expected = {name for part in PARTS for name in part.executables}
    if "pulumi" in located and located["pulumi"].origin is Source.BUILD:
        expected.add(RESIDENT)
    if set(located) != expected:
        return None
    for each in located.values():
        if not _links_to(each.link, each.target) or not os.access(each.target, os.X_OK):
            return None
    for folder in {each.target.parent for each in located.values() if each.origin is Source.BUILD}:
        # In a container the cache may not be writable, and nothing in it is ever forgotten.
        with suppress(OSError):
            os.utime(folder)
    return Engine(located)


def _forget_old(root: Path, current: Path) -> None:
    """Remove builds of other pins that nobody used for a month: each is several hundred megabytes."""
    oldest = time.time() - _KEEP_SECONDS
    for folder in root.iterdir():
        built = folder.is_dir() and (folder / SCHEMAS).exists()
        if built and folder != current and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
