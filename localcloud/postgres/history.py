"""What a data directory was at any moment: base backups, and the write-ahead log (WAL) since the oldest of them.

PostgreSQL keeps all its WAL where it writes it (``wal_keep_size``), so there is no archiver process and no second copy.
From there finished segments are moved here, or linked into a copy's own history, when somebody needs them elsewhere or
there are many. The template is the first base of every root branch, so a plain branch costs no copy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localcloud.postgres.installation import Installation

SEGMENT = re.compile(r"[0-9A-F]{24}")
STAGED = "history"
"""The folder in a data directory from which a recovery takes its WAL."""

_FOLDER = "history"
_BASES = "bases"
_LIST = "bases.json"
_MANY_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a history: a time (RFC 3339 in UTC, as :func:`localcloud.clock.render` writes it), or an LSN."""

    time: str | None = None
    lsn: str | None = None

    def options(self) -> dict[str, str]:
        """Return the settings by which PostgreSQL recovers up to this moment and then goes on by itself."""
        return {
            "restore_command": f"cp {STAGED}/%f %p",
            "recovery_target_action": "promote",
            # Clients are let in at the end only; until then the server does not call itself ready.
            "hot_standby": "off",
            # Names of zones, even "Z", are not known yet where this is read.
            **({"recovery_target_time": self.time.replace("Z", "+00")} if self.time else {}),
            # What was written up to the number, and not the record that begins there, which may be a commit.
            **(
                {"recovery_target_lsn": self.lsn, "recovery_target_inclusive": "off"}
                if self.lsn
                else {}
            ),
        }


@dataclass(frozen=True, slots=True)
class Base:
    """A data directory that nobody changes. ``path`` is below the clusters folder; ``at`` is when its server had ended.

    Recovery from it reads WAL from ``lsn`` on, so from ``segment`` on.
    """

    path: str
    at: str
    lsn: int
    segment: str


class History:
    """The history of one data directory. It is there while it has a base."""

    def __init__(self, installation: Installation, name: str) -> None:
        self._installation = installation
        self._root = installation.clusters / _FOLDER
        self.folder = self._root / name
        self._wal = self.folder / "wal"

    @property
    def bases(self) -> list[Base]:
        """The bases, oldest first."""
        try:
            document = json.loads((self.folder / _LIST).read_text())
        except FileNotFoundError:
            return []
        return [Base(**each) for each in document]

    def base_before(self, moment: Moment) -> Base | None:
        """Return the newest base from which a moment can be reached."""
        fitting = [
            base
            for base in self.bases
            if (base.at <= moment.time if moment.time else base.lsn <= lsn_number(moment.lsn or ""))
        ]
        return fitting[-1] if fitting else None

    def is_long(self, data: Path) -> bool:
        """Whether a data directory has more WAL than a recovery should have to read."""
        newest = self.bases[-1].segment if self.bases else ""
        found = {path.name for folder in (self._wal, data / "pg_wal") for path in _segments(folder)}
        return sum(name >= newest for name in found) > _MANY_SEGMENTS

    def begin(self, path: Path, lsn: str, segment: str) -> None:
        """Begin with a data directory that is kept anyway, older than all that is to come."""
        relative = str(path.relative_to(self._installation.clusters))
        self._save([Base(relative, "", lsn_number(lsn), segment)])

    def place_for_base(self) -> Path:
        """Return a folder to be, for the next base."""
        return self._make(self._root / _BASES) / uuid.uuid4().hex

    def add(self, path: Path, at: str, lsn: str, segment: str) -> None:
        """Take a base into the history."""
        relative = str(path.relative_to(self._installation.clusters))
        self._save([*self.bases, Base(relative, at, lsn_number(lsn), segment)])

    def sweep(self, data: Path, segment: str) -> None:
        """Move WAL out of a data directory whose server has ended: all before the segment that it needs to start.

        Replication slots need theirs where it is.
        """
        if not self.bases or any((data / "pg_replslot").iterdir()):
            return
        target = self._make(self._wal)
        for path in _segments(data / "pg_wal"):
            if path.name < segment:
                path.rename(target / path.name)

    def fork(self, parent: History, parent_data: Path, first: str) -> None:
        """Become the history of a copy of the parent whose own WAL begins with segment ``first``. Copies nothing."""
        target = self._make(self._wal)
        for path in parent.segments(parent_data):
            if path.name < first:
                _link(path, target / path.name)
        self._save(parent.bases)

    def segments(self, data: Path) -> Iterable[Path]:
        """Return all WAL of a data directory, here and there."""
        yield from _segments(self._wal)
        yield from _segments(data / "pg_wal")

    def stage(self, base: Base, data: Path, copy: Path) -> None:
        """Put into a copy of a base the WAL that it is to recover with."""
        for path in _segments(copy / "pg_wal"):
            path.unlink()
        staged = self._make(copy / STAGED)
        for path in self.segments(data):
            if path.name >= base.segment:
                _link(path, staged / path.name)
        signal = copy / "recovery.signal"
        signal.touch()
        self._give(signal)

    def trim(self, oldest: str) -> None:
        """Forget what no moment from ``oldest`` on needs."""
        bases = self.bases
        while len(bases) > 1 and bases[1].at <= oldest:
            bases.pop(0)
        self._save(bases)
        for path in _segments(self._wal):
            if path.name < bases[0].segment:
                path.unlink()
        remove_unused(self._installation.clusters)

    def move(self, target: History) -> None:
        """Become the history of another name, whose data is not there. May be repeated."""
        if self.folder.exists():
            # Of data that was to go there, when the local cloud was killed, and was then made anew.
            target.forget()
            self.folder.rename(target.folder)

    def forget(self) -> None:
        """Remove all of it."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
            remove_unused(self._installation.clusters)

    def _save(self, bases: list[Base]) -> None:
        draft = self._make(self.folder) / f"{_LIST}.draft"
        draft.write_text(json.dumps([asdict(base) for base in bases]))
        draft.replace(self.folder / _LIST)

    def _make(self, folder: Path) -> Path:
        if not folder.exists():
            if folder.parent != self._installation.clusters:
                self._make(folder.parent)
            folder.mkdir(mode=0o700)
            self._give(folder)
        return folder

    def _give(self, path: Path) -> None:
        account = self._installation.account
        if account is not None:
            os.chown(path, account.uid, account.gid)


def lsn_number(text: str) -> int:
    """Return a Log Sequence Number such as ``0/1A2B3C4`` as a number."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def remove_unknown(clusters: Path, known: set[str]) -> None:
    """Remove histories of data directories that the state does not know, and bases that none needs."""
    for folder in (clusters / _FOLDER).glob("*"):
        if folder.name not in {*known, _BASES}:
            shutil.rmtree(folder)
    for draft in (clusters / _FOLDER / _BASES).glob("*.draft"):
        shutil.rmtree(draft)
    remove_unused(clusters)


def remove_unused(clusters: Path) -> None:
    """Remove bases that no history has. Several can share one."""
    root = clusters / _FOLDER
    used = {
        each["path"] for path in root.glob(f"*/{_LIST}") for each in json.loads(path.read_text())
    }
    for folder in (root / _BASES).glob("*"):
        if not folder.suffix and str(folder.relative_to(clusters)) not in used:
            shutil.rmtree(folder, ignore_errors=True)


def first_segment(data: Path) -> str:
    """Return the name of the first WAL segment in a data directory."""
    return min(path.name for path in _segments(data / "pg_wal"))


def _segments(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    return sorted(path for path in folder.iterdir() if SEGMENT.fullmatch(path.name))


def _link(source: Path, target: Path) -> None:
    if not target.exists():
        target.hardlink_to(source)
