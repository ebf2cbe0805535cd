"""A database's schema: as statements, as JSON, and compared with another branch's."""

from __future__ import annotations

import contextlib
import difflib
from typing import TYPE_CHECKING

from localcloud.neon import ids
from localcloud.neon.access import branch_of
from localcloud.neon.databases import database_of
from localcloud.neon.errors import ApiError, bad_request
from localcloud.neon.moments import moment_in_query
from localcloud.neon.parameters import choice_of, identifier_of, required_of
from localcloud.neon.routing import Routes, answer
from localcloud.postgres.schema import tables_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.postgres.cluster import Cluster
    from localcloud.postgres.history import Moment
    from localcloud.records import Branch


async def get_schema(cloud: Cloud, request: Request) -> Response:
    """Give a database's schema, as pg_dump writes it (``sql``), or its tables (``json``), of now or of a moment."""
    branch = branch_of(cloud, request)
    query = request.query_params
    name = required_of(query, "db_name")
    form = choice_of(query, "format", ("sql", "json"), "sql")
    moment = await moment_in_query(cloud, branch, query)
    async with _as_of(cloud, branch, moment, name) as cluster:
        if form == "json":
            return answer({"json": {"tables": await tables_of(cluster, name)}})
        return answer({"sql": await cluster.dump_schema(name)})


async def compare_schema(cloud: Cloud, request: Request) -> Response:
    """Give the difference from a base branch's schema (by default the parent's) to the branch's."""
    branch = branch_of(cloud, request)
    query = request.query_params
    name = required_of(query, "db_name")
    base_id = identifier_of(query, "base_branch_id") or branch.parent_id
    if base_id is None:
        raise bad_request("base_branch_id is required for a branch without a parent")
    base = cloud.branch(branch.project_id, base_id)
    moments = (
        await moment_in_query(cloud, base, query, "base_"),
        await moment_in_query(cloud, branch, query),
    )
    async with _as_of(cloud, base, moments[0], name) as cluster:
        before = await cluster.dump_schema(name)
    async with _as_of(cloud, branch, moments[1], name) as cluster:
        after = await cluster.dump_schema(name)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"a/{name}",
        tofile=f"b/{name}",
    )
    return answer({"diff": "".join(lines)})


@contextlib.asynccontextmanager
async def _as_of(
    cloud: Cloud, branch: Branch, moment: Moment | None, database: str
) -> AsyncIterator[Cluster]:
    """Have a server of what a branch is, or was, for the length of a block. Raises ApiError 404 for the database."""
    if branch.current_state != "ready":
        raise ApiError(422, "branch not ready yet")
    cluster = cloud.cluster(branch.id)
    if moment is None:
        await cloud.sync(branch)
        database_of(cloud, branch, database)
        async with cluster.held():
            yield cluster
        return
    past = cloud.cluster(ids.branch_id())
    past.options = cluster.options
    try:
        await past.create_at(cluster, moment)
        async with past.held():
            if not await past.has(database):
                raise ApiError(404, f'database not found; database_name:"{database}"')
            yield past
    finally:
        await cloud.discard(past)


_BRANCH = "/projects/{project_id}/branches/{branch_id}"
ROUTES: Routes = [
    ("GET", _BRANCH + "/schema", get_schema),
    ("GET", _BRANCH + "/compare_schema", compare_schema),
]
