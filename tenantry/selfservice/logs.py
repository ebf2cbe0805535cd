"""The service's log: a line for a person, or one JSON object a line, with what it is about."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039  # it is never changed
_QUIET: Final = ("alembic", "procrastinate", "httpx", "psycopg.pool", "pulumi", "uvicorn")
"""What says nothing, below a warning, that the service does not say itself."""
_SILENT: Final = ("grpc",)
"""What tells of a program whose engine has ended as of a failure. How it ended is told by the operation."""


@contextmanager
def about(**names: str | None) -> Iterator[None]:
    """Let what is logged in a block name what it is about: `request`, `operation`, `app`."""
    known = {name: value for name, value in names.items() if value is not None}
    before = _about.set({**_about.get(), **known})
    try:
        yield
    finally:
        _about.reset(before)


def begin(*, as_json: bool, level: int = logging.INFO) -> None:
    """Log to standard error from now on.

    :param as_json: one JSON object a line: `at`, `level`, `logger`, `message`, and what it is about
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if as_json else _Line())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        known = " ".join(f"{name}={value}" for name, value in _about.get().items())
        line = f"{at} {record.levelname.lower():7} {record.getMessage()}"
        line = f"{line} ({known})" if known else line
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
