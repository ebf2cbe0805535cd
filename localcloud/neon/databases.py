"""Databases of a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import bodies, views
from localcloud.neon.access import branch_of
from localcloud.neon.errors import ApiError, limit
from localcloud.neon.operations import Step
from localcloud.neon.plans import DATABASES_PER_BRANCH
from localcloud.neon.roles import check_name
from localcloud.neon.routing import Routes, answer, gone
from localcloud.records import Database

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Json, Operation


def database_of(cloud: Cloud, branch: Branch, name: str) -> Database:
    """Return a database of a branch. Raises ApiError 404."""
    database = cloud.state.databases.get(f"{branch.id}/{name}")
    if database is None:
        raise ApiError(404, f'database not found; database_name:"{name}", branch_id:"{branch.id}"')
    return database


async def list_databases(cloud: Cloud, request: Request) -> Response:
    """All databases, the oldest first; also those made over SQL, as last seen while its server ran."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    return answer(
        {"databases": [views.database(each) for each in cloud.state.databases.of(branch.id)]}
    )


async def create_database(cloud: Cloud, request: Request) -> Response:
    """Make a database for a role that the branch has."""
    branch = branch_of(cloud, request)
    wanted = (await bodies.read(request, bodies.DatabaseCreateRequest)).database
    check_name(wanted.name)
    await cloud.sync(branch)
    cloud.operations.check_unlocked(branch.project_id)
    _check_owner(cloud, branch, wanted.owner_name)
    present = cloud.state.databases.of(branch.id)
    _check_free(cloud, branch, wanted.name)
    if len(present) >= DATABASES_PER_BRANCH:
        raise limit(
            "DATABASES_LIMIT_EXCEEDED", f"databases limit of {DATABASES_PER_BRANCH} exceeded"
        )
    now = cloud.clock.now()
    database = Database(
        branch.id, cloud.state.next_id(Database), wanted.name, wanted.owner_name, now, now
    )
    with cloud.state.change() as change:
        change.put(database)
        operations = cloud.operations.schedule(
            change,
            branch.project_id,
            _apply(
                branch,
                {
                    "kind": "create_database",
                    "database": database.name,
                    "owner": database.owner_name,
                },
            ),
        )
    return _with_operations(database, operations, 201)


async def get_database(cloud: Cloud, request: Request) -> Response:
    """One database."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    database = database_of(cloud, branch, request.path_params["database_name"])
    return answer({"database": views.database(database)})


async def update_database(cloud: Cloud, request: Request) -> Response:
    """Rename a database or give it to another role."""
    branch = branch_of(cloud, request)
    wanted = (await bodies.read(request, bodies.DatabaseUpdateRequest)).database
    await cloud.sync(branch)
    cloud.operations.check_unlocked(branch.project_id)
    database = database_of(cloud, branch, request.path_params["database_name"])
    old_name = database.name
    new_name = wanted.name or old_name
    owner = wanted.owner_name or database.owner_name
    check_name(new_name)
    if new_name != old_name:
        _check_free(cloud, branch, new_name)
    if owner != database.owner_name:
        _check_owner(cloud, branch, owner)
    steps = []
    with cloud.state.change() as change:
        if (new_name, owner) != (old_name, database.owner_name):
            steps = _apply(
                branch,
                {
                    "kind": "alter_database",
                    "database": old_name,
                    "new_name": new_name,
                    "owner": owner,
                },
            )
            # The name is part of the key.
            change.delete(database)
            database.name = new_name
            database.owner_name = owner
            database.updated_at = cloud.clock.now()
            change.put(database)
        operations = cloud.operations.schedule(change, branch.project_id, steps)
    return _with_operations(database, operations)


async def delete_database(cloud: Cloud, request: Request) -> Response:
    """Drop a database, ending its sessions."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    database = cloud.state.databases.get(f"{branch.id}/{request.path_params['database_name']}")
    if database is None:
        return gone()
    cloud.operations.check_unlocked(branch.project_id)
    with cloud.state.change() as change:
        change.delete(database)
        operations = cloud.operations.schedule(
            change,
            branch.project_id,
            _apply(branch, {"kind": "drop_database", "database": database.name}),
        )
    return _with_operations(database, operations)


def _check_owner(cloud: Cloud, branch: Branch, name: str) -> None:
    if f"{branch.id}/{name}" not in cloud.state.roles:
        raise ApiError(404, f'database owner not found; role_name:"{name}"')


def _check_free(cloud: Cloud, branch: Branch, name: str) -> None:
    if f"{branch.id}/{name}" in cloud.state.databases:
        raise ApiError(409, f"database with name {name} already exists")


def _apply(branch: Branch, task: Json) -> list[Step]:
    return [Step("apply_config", task, branch.id)]


def _with_operations(
    database: Database, operations: list[Operation], status: int = 200
) -> Response:
    return answer(
        {"database": views.database(database), "operations": views.operations(operations)}, status
    )


_DATABASES = "/projects/{project_id}/branches/{branch_id}/databases"
ROUTES: Routes = [
    ("GET", _DATABASES, list_databases),
    ("POST", _DATABASES, create_database),
    ("GET", _DATABASES + "/{database_name}", get_database),
    ("PATCH", _DATABASES + "/{database_name}", update_database),
    ("DELETE", _DATABASES + "/{database_name}", delete_database),
]
