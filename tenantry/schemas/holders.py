"""Who holds the lock that a migration waited for in vain, as a line for people."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

QUERY_LENGTH: Final = 100
"""How much of a session's last statement is shown, in characters."""
_MOST: Final = 3

# A session without rights on the others' statements sees neither their text nor since when they work (PostgreSQL,
# "pg_stat_activity"). Indexes are left out: they are locked with their tables.
_HOLDERS: Final = """
SELECT a.usename::text, a.pid, a.xact_start, a.query,
       string_agg(DISTINCT format('%%I.%%I (%%s)', n.nspname, c.relname, l.mode), ', ')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.locktype = 'relation' AND l.granted AND c.relkind NOT IN ('i', 'I') AND a.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname = %(schema)s
  AND coalesce(a.xact_start <= clock_timestamp() - make_interval(secs => %(seconds)s), true)
GROUP BY a.usename, a.pid, a.xact_start, a.query ORDER BY a.xact_start, a.pid LIMIT %(most)s
"""
_HIDDEN: Final = "<insufficient privilege>"

# PostgreSQL, "Lexical Structure". What has no end was cut off by the server, and goes up to the end of the text.
_TOKEN: Final = re.compile(
    r"""
      (?P<name> "(?:[^"]|"")*(?:"|\Z) )
    | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<text> (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z)
              | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z) )
    | (?P<number> (?<![\w$])\.?\d[\w.]* )
    """,
    re.VERBOSE | re.DOTALL,
)


def holders(connection: psycopg.Connection[Any], schema: str, *, seconds: float = 0) -> str:
    """Say which other sessions hold locks on tables of `schema`, the oldest three; an empty text where none does.

    Each is told with its role, process, tables and modes, the time since when, and its last statement without literals.

    :param seconds: how long their transactions have lasted at least. A lock that was waited for in vain for so long is
        held by such a one
    :raises psycopg.Error: the connection does not answer
    """
    asked = {"schema": schema, "seconds": seconds, "most": _MOST}
    with connection.transaction(force_rollback=True):
        rows = connection.execute(_HOLDERS, asked).fetchall()
    return "; ".join(_told(*row) for row in rows)


def without_literals(query: str) -> str:
    """Return a statement in one line, with `…` in the places of texts and numbers, and without comments.

    Where it is not sure what is a literal, the rest of the statement is left out.
    """
    kept, at = [], 0
    for token in _TOKEN.finditer(query):
        kept.append(query[at : token.start()])
        at = token.end()
        if _doubtful(token):
            at = len(query)
            kept.append("…")
            break
        if token["name"]:
            kept.append(token[0])
        else:
            kept.append(" " if token["comment"] else "…")
    line = " ".join("".join([*kept, query[at:]]).split())
    return "".join(each if each.isprintable() else "?" for each in line)


def _doubtful(token: re.Match[str]) -> bool:
    # Comments nest, and a session may have backslashes escape in every literal (standard_conforming_strings).
    nested = bool(token["comment"]) and token[0].find("/*", 2) > 0
    return nested or (bool(token["text"]) and token[0].startswith("'") and "\\" in token[0])


def _told(role: str, process: int, since: datetime | None, query: str, tables: str) -> str:
    said = f"{role} (process {process}) holds {tables}"
    if since:
        said += f" since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if query and query != _HIDDEN:
        ran = without_literals(query)
        said += f" and last ran: {ran[:QUERY_LENGTH]}" + ("…" if len(ran) > QUERY_LENGTH else "")
    return said
