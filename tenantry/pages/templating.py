"""The templates, and how values are shown in them.

Everything is escaped; a value that a template names must be there.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenantry import __version__

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_MINUTE: Final = 60
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (_MINUTE, "min"))


@cache
def templates() -> Environment:
    """Return the environment of the templates."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"moment": moment, "ago": ago}
    made.globals |= {"version": __version__, "mark": _mark()}
    return made


def moment(at: datetime | None) -> str:
    """Show a time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else "-"


def ago(at: datetime | None, now: datetime) -> str:
    """Show how long ago something was, in its largest unit."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now" if seconds >= -_MINUTE else "to come"


def _mark() -> str:
    """Return a digest of the static files, so that a browser's copy ends with the version that had it."""
    found = hashlib.sha256()
    for file in sorted(STATIC.iterdir()):
        found.update(file.read_bytes())
    return found.hexdigest()[:12]
