"""Static masking: columns are written over, for good, with a value or with what a function makes of them."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localcloud.postgres.cluster import Cluster

_TABLE = itemgetter("database_name", "schema_name", "table_name")


async def mask(cluster: Cluster, rules: list[dict[str, Any]]) -> None:
    """Apply rules as the API has them, each database's in one transaction, with the rights of the table's owner.

    Raises psycopg.Error; nothing of that database is changed then.
    """
    from psycopg import sql

    ordered = sorted(rules, key=_TABLE)
    for database, of_database in groupby(ordered, key=itemgetter("database_name")):
        async with cluster.connect(database) as connection, connection.transaction():
            for (_database, schema, table), of_table in groupby(of_database, key=_TABLE):
                cursor = await connection.execute(
                    "SELECT tableowner FROM pg_tables WHERE (schemaname, tablename) = (%s, %s)",
                    (schema, table),
                )
                row = await cursor.fetchone()
                if row is None:
                    raise LookupError(f"there is no table {schema}.{table} in {database}")
                # A function of a rule is somebody's SQL: it runs with no more than its owner's rights.
                await connection.execute(
                    sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(row[0]))
                )
                columns = [
                    sql.SQL("{} = {}").format(
                        sql.Identifier(rule["column_name"]),
                        sql.SQL(rule["masking_function"])
                        if rule.get("masking_function")
                        else sql.Literal(rule["masking_value"]),
                    )
                    for rule in of_table
                ]
                await connection.execute(
                    sql.SQL("UPDATE {} SET {}").format(
                        sql.Identifier(schema, table), sql.SQL(", ").join(columns)
                    )
                )
                await connection.execute("RESET ROLE")
