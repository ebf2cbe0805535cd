"""What a message about a user says: an id, and what became of the user. Everything else in it is dropped at once.

A database webhook of Supabase carries the whole row of `auth.users`, with e-mail address, `encrypted_password` and
tokens; an auth hook carries the user. Neither is logged, kept or shown, also not where it is wrong.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from tenantry.registry.written.graphs import user as checked_user
from tenantry.registry.written.rules import RuleError

HOOKS: Final = frozenset({"before-user-created", "after-user-created"})
"""Auth hooks that tell of a new user."""


class EventError(Exception):
    """A message that is none. The text quotes nothing of it."""


@dataclass(frozen=True)
class UserEvent:
    """A user is new, or gone."""

    kind: Literal["new", "gone"]
    user: str
    at: datetime | None
    """When the user signed up, as far as the message says."""


def read_event(body: bytes) -> UserEvent | None:
    """Read a message; None for one about something else.

    :raises EventError: it is no JSON object, or has not the form of its kind
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        # Not chained: the cause quotes the text.
        found = None
    if not isinstance(found, dict):
        raise EventError("the body is no JSON object")
    if "type" in found:
        return _of_database(found)
    if "metadata" in found:
        return _of_hook(found)
    raise EventError("the body is neither a database webhook (type) nor an auth hook (metadata)")


def _of_database(found: dict[str, Any]) -> UserEvent | None:
    if (found.get("schema"), found.get("table")) != ("auth", "users"):
        return None
    match found["type"]:
        case "INSERT":
            return _event("new", found.get("record"), "record")
        case "DELETE":
            return _event("gone", found.get("old_record"), "old_record")
        case str():
            return None
        case _:
            raise EventError("type is no text")


def _of_hook(found: dict[str, Any]) -> UserEvent | None:
    metadata = found["metadata"]
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise EventError("metadata has no name")
    if metadata["name"] not in HOOKS:
        return None
    return _event("new", found.get("user"), "user")


def _event(kind: Literal["new", "gone"], record: object, where: str) -> UserEvent:
    if not isinstance(record, dict):
        raise EventError(f"{where} is no object")
    try:
        user = checked_user(record.get("id"))
    except RuleError:
        raise EventError(f"{where}.id is no user's id") from None
    return UserEvent(kind, user, _moment(record.get("created_at")))


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
