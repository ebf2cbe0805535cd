"""The live structure of a schema, as one digest for each object in it.

Every definition is PostgreSQL's own text (`format_type`, `pg_get_constraintdef`, …). It is read with an empty search
path, so that names are always written out.

- A table has columns with type, nullability, default, identity and collation, and constraints, indexes and triggers.
  The order of its columns is left out: a column that is put back comes last.
- Views, sequences, functions, enums and domains are objects too. What belongs to an extension is left out.
- NOT NULL is taken from the column, since PostgreSQL 18 lists it as a constraint as well.

The rights of the app's group on each relation and function are given in words and not as a digest, so that they can be
put back.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import psycopg

_QUERY = """
WITH space AS (SELECT %(schema)s::text::regnamespace AS id),
relation AS (
    SELECT c.oid, c.relkind, c.relname,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                          WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'table' END
           || ' ' || c.relname AS object
    FROM pg_class c, space
    WHERE c.relnamespace = space.id AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i')
                        AND d.refclassid <> 'pg_namespace'::regclass)
)
SELECT object, 'relation ' || relkind::text FROM relation
UNION ALL
SELECT object, concat_ws(' ', 'column', a.attname, format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attnotnull THEN 'not null' END,
           'default ' || pg_get_expr(d.adbin, d.adrelid),
           'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''),
           'collate ' || (SELECT o.collname FROM pg_collation o, pg_type t
                          WHERE o.oid = a.attcollation AND t.oid = a.atttypid AND t.typcollation <> o.oid))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind <> 'S'
UNION ALL
SELECT object, 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 'n'
UNION ALL
SELECT object, 'index ' || pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
FROM relation r JOIN pg_index i ON i.indrelid = r.oid
UNION ALL
SELECT object, 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT object, 'query ' || pg_get_viewdef(r.oid) FROM relation r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT object, concat_ws(' ', 'sequence', format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
UNION ALL
SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
       CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
FROM pg_proc p, space
WHERE p.pronamespace = space.id AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT CASE t.typtype WHEN 'e' THEN 'enum ' ELSE 'domain ' END || t.typname,
       concat_ws(' ', format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typdefault,
           (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
           (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k
            WHERE k.contypid = t.oid AND k.contype <> 'n'))
FROM pg_type t, space
WHERE t.typnamespace = space.id AND t.typtype IN ('e', 'd') AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
"""

_RIGHTS = """
WITH thing AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name,
           coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl
    FROM pg_class c
    WHERE c.relnamespace = %(schema)s::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i')
                        AND d.refclassid <> 'pg_namespace'::regclass)
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p
    WHERE p.pronamespace = %(schema)s::text::regnamespace AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT kind || ' ' || name, coalesce((
    SELECT string_agg(given.privilege_type, ', ' ORDER BY given.privilege_type) FROM aclexplode(thing.acl) AS given
    WHERE given.grantee = to_regrole(%(group)s)), '')
FROM thing
"""
RIGHTS: Final = "rights on "
"""The names of these entries begin with it. Then comes what GRANT calls the thing, and its name."""


def read_structure(connection: psycopg.Connection[Any], schema: str, group: str) -> dict[str, str]:
    """Describe each object of `schema` (`table users`, `view x`, `function f(integer)`) by a digest of its definition.

    An entry such as `rights on TABLE app.users` has the rights of the role `group` on it: `INSERT, SELECT`, or an empty
    text. The schema must exist. Only the system catalogs are read, and no statement of the app has to wait.
    """
    parts: dict[str, list[str]] = {}
    # Put back, so that the caller's transaction keeps its search path.
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path = pg_catalog")
        for name, part in connection.execute(_QUERY, {"schema": f'"{schema}"'}):
            parts.setdefault(name, []).append(part)
        rights = dict(
            connection.execute(_RIGHTS, {"schema": f'"{schema}"', "group": f'"{group}"'}).fetchall()
        )
    objects = {name: _digest(sorted(parts[name])) for name in sorted(parts)}
    return objects | {f"{RIGHTS}{name}": rights[name] for name in sorted(rights)}


def structure_digest(objects: Mapping[str, str]) -> str:
    """Join the digests of all objects into one: SHA-256, 16 hexadecimal digits."""
    return _digest(f"{name} {digest}" for name, digest in sorted(objects.items()))


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Say in words what was changed: `table users is gone`, one entry for each object."""
    said = []
    for name in sorted(expected.keys() | found.keys()):
        if name.startswith(RIGHTS):
            # What is new or gone has a line already. Its rights need none.
            if name in expected and name in found and expected[name] != found[name]:
                is_, was = (rights[name] or "none" for rights in (found, expected))
                said.append(f"{name} are {is_}, and were {was}")
        elif name not in found:
            said.append(f"{name} is gone")
        elif name not in expected:
            said.append(f"{name} is new")
        elif expected[name] != found[name]:
            said.append(f"{name} is changed")
    return said


def rights_to_restore(
    expected: Mapping[str, str], found: Mapping[str, str]
) -> list[tuple[str, set[str], set[str]]]:
    """List the changed rights: the thing as GRANT calls it, what the group lacks, and what it should lose."""
    changed = [
        name
        for name in sorted(expected.keys() & found.keys())
        if name.startswith(RIGHTS) and expected[name] != found[name]
    ]
    return [
        (name.removeprefix(RIGHTS), was - is_, is_ - was)
        for name in changed
        for was, is_ in [(_words(expected[name]), _words(found[name]))]
    ]


def _words(rights: str) -> set[str]:
    return set(rights.split(", ")) if rights else set()


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
