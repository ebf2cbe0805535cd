"""What an app consists of in PostgreSQL, to tell whether two programs made the same."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import psycopg

if TYPE_CHECKING:
    from tenantry.registry import App
    from tests.localcloud_fixture import LocalCloud

# Each line is a kind and what it is. Two things that only ours does are left out, since no stock provider that can be
# built from its module does them: PUBLIC loses its rights, and sessions that idle in a transaction end.
_FACTS: Final = """
select 'role: ' || rolname || case when rolcanlogin then ' logs in, ' else ', ' end || rolconnlimit || ' connections'
  from pg_roles where rolname like 'tenant\\_%%'
union all
select 'membership: ' || member.rolname || ' of ' || granted.rolname
  from pg_auth_members join pg_roles member on member.oid = member join pg_roles granted on granted.oid = roleid
  where granted.rolname like 'tenant\\_%%' and member.rolname like 'tenant\\_%%'
union all
select 'setting: ' || rolname || ' ' || setting
  from pg_roles, unnest(rolconfig) setting
  where rolname like 'tenant\\_%%' and setting not like 'idle_in_transaction_session_timeout=%%'
union all
select 'database: ' || datname || ' of ' || pg_get_userbyid(datdba) || ', ' || datconnlimit || ' connections, '
       || pg_encoding_to_char(encoding)
  from pg_database where datname = %(database)s
union all
select 'grant on database: ' || privilege_type || ' to ' || pg_get_userbyid(grantee)
  from pg_database, aclexplode(datacl) where datname = %(database)s and grantee <> 0
union all
select 'schema: ' || nspname || ' of ' || pg_get_userbyid(nspowner) from pg_namespace where nspname = %(schema)s
union all
select 'grant on schema: ' || privilege_type || ' to ' || pg_get_userbyid(grantee)
  from pg_namespace, aclexplode(nspacl) where nspname = %(schema)s and grantee <> 0
union all
select 'default privilege: of ' || pg_get_userbyid(defaclrole) || ' in ' || nspname || ' on ' || defaclobjtype::text
       || ' ' || privilege_type || ' to ' || pg_get_userbyid(grantee)
  from pg_default_acl join pg_namespace on pg_namespace.oid = defaclnamespace, aclexplode(defaclacl)
"""


def projects(namespace: str, cloud: LocalCloud) -> dict[str, list[str]]:
    """Return the ids of the projects of a namespace, by name. A name that more than one has was made twice."""
    found: dict[str, list[str]] = {}
    with cloud.client() as client:
        asked = {"org_id": cloud.neon_org_id, "search": f"{namespace}--", "limit": "400"}
        for project in client.get("/projects", params=asked).raise_for_status().json()["projects"]:
            found.setdefault(project["name"], []).append(project["id"])
    return found


def look(app: App, cloud: LocalCloud) -> frozenset[str]:
    """Return a line, `kind: what`, for each role, database, schema, setting and right of an app.

    Of several projects with the app's name it is the one that has the app's database. Raises ValueError where none has.
    """
    names = app.names
    place = {"role_name": names.owner_role, "database_name": names.database}
    with cloud.client() as client:
        for project in projects(names.namespace, cloud).get(names.project, []):
            answer = client.get(f"/projects/{project}/connection_uri", params=place)
            if answer.is_success:
                url: str = answer.json()["uri"]
                break
        else:
            raise ValueError(f"{names.project}: no project of this name has {names.database}")
    with psycopg.connect(url) as connection:
        values = {"database": names.database, "schema": names.schema}
        return frozenset(line for (line,) in connection.execute(_FACTS, values))


def compare(ours: frozenset[str], theirs: frozenset[str]) -> str:
    """Tell how much of each kind both made. Raises ValueError, with the difference, where it is not the same."""
    if ours != theirs:
        raise ValueError(
            f"not the same was made. Only by tenantry: {sorted(ours - theirs)}."
            f" Only by OpenTofu: {sorted(theirs - ours)}."
        )
    kinds = Counter(line.partition(":")[0] for line in ours)
    return ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
