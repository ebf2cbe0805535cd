"""The tables of a database, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.postgres.cluster import Cluster

_KINDS = {"p": "primary_key", "u": "unique", "f": "foreign_key"}

_COLUMNS = """\
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.attgenerated <> ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname, a.attnum"""

_CONSTRAINTS = """\
SELECT n.nspname, c.relname, k.contype::text, k.conname,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place),
  fn.nspname, f.relname,
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype IN ('p', 'u', 'f') AND n.nspname !~ '^pg_' ORDER BY k.contype DESC, k.conname"""


async def tables_of(cluster: Cluster, database: str) -> list[dict[str, Any]]:
    """Return the tables with their columns and constraints, less PostgreSQL's own."""
    async with cluster.connect(database) as connection:
        columns = await (await connection.execute(_COLUMNS)).fetchall()
        constraints = await (await connection.execute(_CONSTRAINTS)).fetchall()
    tables: dict[tuple[str, str], dict[str, Any]] = {}
    for schema, table, name, kind, nullable, generated in columns:
        shown = tables.setdefault(
            (schema, table),
            {"schema": schema, "name": table, "columns": [], "constraints": []},
        )
        if name is not None:
            shown["columns"].append(
                {"name": name, "type": kind, "nullable": nullable, "generated": generated}
            )
    for schema, table, kind, name, own, far_schema, far_table, far in constraints:
        constraint = {"type": _KINDS[kind], "name": name, "columns": own}
        if far_table is not None:
            constraint["referenced_table"] = {
                "schema": far_schema,
                "table": far_table,
                "columns": far,
            }
        tables[schema, table]["constraints"].append(constraint)
    return list(tables.values())
