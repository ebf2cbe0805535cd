"""A list of users in a file of its own: one id a line. `#` begins a comment, and empty lines are passed over."""

from __future__ import annotations

from pathlib import Path

from tenantry.errors import TenantryError
from tenantry.registry.written.graphs import user
from tenantry.registry.written.rules import RuleError


class UsersError(TenantryError):
    """A file of users that cannot be used; one line."""


def read_users(registry: str, name: str) -> list[str]:
    """Read the users of an app.

    :param registry: the registry's file, from whose folder `name` is seen
    :raises UsersError: it is not there, not UTF-8, has a line that is no user's id, or has no line at all
    """
    try:
        lines = (Path(registry).parent / name).read_text("utf-8").splitlines()
    except OSError as error:
        raise UsersError(f"{name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsersError(f"{name} is not UTF-8: write it in UTF-8") from None
    users = []
    for number, line in enumerate(lines, 1):
        word = line.partition("#")[0].strip()
        if word:
            try:
                users.append(user(word))
            except RuleError as error:
                raise UsersError(f"{name}, line {number}: {error}") from None
    if not users:
        # A file that was cut off looks like this.
        raise UsersError(f'{name} names nobody: for no users write "users: []" in its place')
    return users
