"""Templates, and how values are shown in them. Everything is escaped; a value that a template names must be there."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tenantry import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_MINUTE: Final = 60
_STEPS: Final = ((86_400, "d"), (3_600, "h"), (_MINUTE, "min"))


@cache
def _templates() -> Environment:
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


def page(
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401  # whatever the template shows
) -> HTMLResponse:
    """Return a page.

    :param template: the name of its file
    """
    return HTMLResponse(
        _templates().get_template(template).render(now=datetime.now(UTC), **values),
        status,
        {**(headers or {})},
    )


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
