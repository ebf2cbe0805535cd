"""Parameters of the query and the path: what the API document asks of them, and how a wrong one is answered."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from localcloud.neon.errors import ApiError, bad_request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_IDENTIFIER = re.compile(r"[a-z0-9-]{1,60}")
_LSN = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_MAX_LIST = 100


def _wrong(name: str, rule: str, place: str = "query") -> ApiError:
    return bad_request(f'parameter "{name}" in {place} has an error: {rule}')


def number_of(query: Mapping[str, str], name: str, minimum: int, maximum: int) -> int | None:
    """Return an integer, or None when absent. Raises ApiError 400 outside of its bounds."""
    text = query.get(name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise _wrong(name, f"must be an integer from {minimum} to {maximum}")
    return int(text)


def limit_of(query: Mapping[str, str], default: int, maximum: int) -> int:
    """Return the page size asked for. Raises ApiError 400 outside of 1 to ``maximum``."""
    asked = number_of(query, "limit", 1, maximum)
    return default if asked is None else asked


def flag_of(query: Mapping[str, str], name: str) -> bool:
    """Return a boolean parameter, false when absent. Raises ApiError 400."""
    return choice_of(query, name, ("true", "false"), "false") == "true"


def choice_of(
    query: Mapping[str, str], name: str, choices: Collection[str], default: str | None = None
) -> str:
    """Return one of several words. Raises ApiError 400, also when absent and without a default."""
    text = query.get(name, default)
    if text is None:
        raise _wrong(name, "value is required")
    if text not in choices:
        raise _wrong(name, "must be one of " + ", ".join(choices))
    return text


def required_of(query: Mapping[str, str], name: str) -> str:
    """Return a parameter that has to be there. Raises ApiError 400."""
    text = query.get(name)
    if not text:
        raise _wrong(name, "value is required")
    return text


def identifier_of(query: Mapping[str, str], name: str) -> str | None:
    """Return an id, or None when absent or empty. Raises ApiError 400 for what is no id."""
    text = query.get(name)
    if text and not _IDENTIFIER.fullmatch(text):
        raise _wrong(name, "is not an id")
    return text or None


def list_of(query: QueryParams, name: str) -> list[str]:
    """Return a list, given as repeated parameters or with commas; at most 100 entries. Raises ApiError 400."""
    found = [part for text in query.getlist(name) for part in text.split(",") if part]
    if len(found) > _MAX_LIST:
        raise _wrong(name, f"has more than {_MAX_LIST} entries")
    return found


def identifiers_of(query: QueryParams, name: str) -> list[str]:
    """Return a list of ids. Raises ApiError 400."""
    found = list_of(query, name)
    if any(not _IDENTIFIER.fullmatch(each) for each in found):
        raise _wrong(name, "is not a list of ids")
    return found


def time_of(query: Mapping[str, str], name: str) -> datetime | None:
    """Return a time as in RFC 3339, or None when absent. Raises ApiError 400."""
    text = query.get(name)
    if text is None:
        return None
    # A plus of the offset that was not escaped has become a space.
    moment = moment_of(text.replace(" ", "+"))
    if moment is None:
        raise _wrong(name, "must be a time as in RFC 3339")
    return moment


def lsn_of(query: Mapping[str, str], name: str) -> str | None:
    """Return a Log Sequence Number such as ``0/1A2B3C4``, or None when absent. Raises ApiError 400."""
    text = query.get(name)
    if text is not None and not is_lsn(text):
        raise _wrong(name, "must be a Log Sequence Number")
    return text


def moment_of(text: str) -> datetime | None:
    """Return the time that is written as in RFC 3339, in UTC, or None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def is_lsn(text: str) -> bool:
    """Whether this is a Log Sequence Number."""
    return bool(_LSN.fullmatch(text))


def integer_in_path(request: Request, name: str) -> int:
    """Return an integer of the path. Raises ApiError 400."""
    text: str = request.path_params[name]
    if not _INTEGER.fullmatch(text):
        raise _wrong(name, "must be an integer", "path")
    return int(text)


def uuid_in_path(request: Request, name: str) -> str:
    """Return a UUID of the path. Raises ApiError 400."""
    try:
        return str(uuid.UUID(request.path_params[name]))
    except ValueError as error:
        raise _wrong(name, "must be a UUID", "path") from error
