"""Files that come with the packages and are no part of them: the Go modules, the steps of a CI service, the locks."""

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parents[1]
_IN_A_WHEEL: Final = _HERE / "shipped_files"
SOURCE: Final = _HERE.parent
"""The source tree, where this package is in one."""


def shipped(name: str) -> Path:
    """Return where a file or folder is: below this package where a wheel brought it, else in the source tree.

    :param name: its path in the source tree; `pyproject.toml` lists what a wheel has
    """
    return (_IN_A_WHEEL if _IN_A_WHEEL.is_dir() else SOURCE) / name
