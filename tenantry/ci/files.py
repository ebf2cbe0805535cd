"""The files that one step of CI leaves for the next, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tenantry.ci.errors import CiError

FOLDER: Final = Path(".tenantry/ci")
"""Where the files are by default."""
COMMENT: Final = "comment.md"
ISSUE: Final = "issue.md"
PLAN: Final = "plan.json"
RUN: Final = "run.json"


def clear(folder: Path, *names: str) -> None:
    """Delete the files of an earlier run, so that nobody takes them for this one's."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def write(file: Path, text: str) -> None:
    """Write a text, and the folder where that is not there.

    :raises CiError: it cannot be written
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CiError(f"{file}: cannot be written: {error.strerror}") from None


def read(file: Path) -> str:
    """Read what an earlier step wrote.

    :raises CiError: it is not there
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CiError(
            f"{file}: cannot be read: {error.strerror}: tenantry ci pr, or tenantry ci drift, writes it"
        ) from None
