"""Creates that were sent and not answered, as far as this machine knows.

A run that was killed, or whose connection broke, may have sent one that lands after it. Until that can no longer be,
its name is free in appearance only. The notes of many names are in one file, whose lock their maker holds; nothing in
them is secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.aura.shared_file import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path


def sent_at(file: Path, name: str) -> float | None:
    """Return when a create of this name without an answer was sent (seconds since 1970); None where there is none."""
    at = read_json(file).get(name)
    return float(at) if isinstance(at, int | float) else None


def note(file: Path, name: str, at: float) -> None:
    """Note that a create is about to be sent, or was sent in vain until now.

    :raises AuraStateError: the folder cannot be written
    """
    write_json(file, {**read_json(file), name: at})


def forget(file: Path, name: str) -> None:
    """Note that a create was answered. The file goes with its last note.

    :raises AuraStateError: the folder cannot be written
    """
    notes = read_json(file)
    notes.pop(name, None)
    if notes:
        write_json(file, notes)
    else:
        file.unlink(missing_ok=True)
