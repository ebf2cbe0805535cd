"""Attempts with somebody's credentials, undone at once: each is allowed, refused, or a mistake in the attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

REFUSALS = ("no privileges", "not all privileges", "permission denied")
"""What PostgreSQL only warns of, where a right is missing for a part or for a thing among many."""

Actors = Mapping[str, Callable[[], psycopg.Connection]]


@dataclass(frozen=True)
class Row:
    """A statement, and who may run it."""

    statement: str
    may: tuple[str, ...]


def table(text: str, actors: tuple[str, ...], **names: str) -> list[Row]:
    """Read a table: for each actor `yes` or `no`, then the statement. A line without those is a heading.

    :param names: what `{name}` in a statement stands for
    """
    rows = []
    for line in text.strip().splitlines():
        *answers, statement = line.split(None, len(actors))
        if len(answers) == len(actors) and set(answers) <= {"yes", "no"}:
            filled = statement
            for name, value in names.items():
                filled = filled.replace(f"{{{name}}}", value)
            may = zip(actors, answers, strict=True)
            rows.append(Row(filled, tuple(actor for actor, answer in may if answer == "yes")))
    return rows


def attempt(connection: psycopg.Connection, statement: str) -> str:
    """Try a statement and undo it: `yes`, `no`, or the error of a statement that went wrong.

    What cannot run in a transaction begins with `!`, and is for those who are refused and for what changes nothing.
    """
    warned: list[str] = []

    def note(notice: psycopg.errors.Diagnostic) -> None:
        warned.append(notice.message_primary or "")

    connection.add_notice_handler(note)
    try:
        if statement.startswith("!"):
            connection.execute(statement[1:])
        else:
            with connection.transaction(force_rollback=True):
                connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return "no"
    except psycopg.Error as error:
        return f"{error.sqlstate}: {error}"
    finally:
        connection.remove_notice_handler(note)
    return "no" if any(word in said for said in warned for word in REFUSALS) else "yes"


def tried(rows: list[Row], actors: Actors) -> dict[str, tuple[str, ...]]:
    """Try every row as every actor. Gives by statement who may; an attempt that went wrong appears with its error."""
    found: dict[str, list[str]] = {row.statement: [] for row in rows}
    for actor, connect in actors.items():
        with connect() as connection:
            for row in rows:
                answer = attempt(connection, row.statement)
                if answer != "no":
                    found[row.statement].append(actor if answer == "yes" else f"{actor}: {answer}")
    return {statement: tuple(who) for statement, who in found.items()}
