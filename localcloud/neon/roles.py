"""Roles of a branch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localcloud.neon import bodies, ids, views
from localcloud.neon.access import branch_of
from localcloud.neon.errors import ApiError, bad_request, limit
from localcloud.neon.operations import Step
from localcloud.neon.plans import ROLES_PER_BRANCH
from localcloud.neon.routing import Routes, answer, gone
from localcloud.postgres.template import SUPERUSER
from localcloud.records import Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Operation

_RESERVED = re.compile(rf"pg_.*|{SUPERUSER}|neon_superuser|postgres|template[01]|public|none")
_MAX_NAME_BYTES = 63


def check_name(name: str) -> None:
    """Refuse a role's or database's name that PostgreSQL or Neon keeps for itself. Raises ApiError 400."""
    if _RESERVED.fullmatch(name):
        raise bad_request(f'name "{name}" is reserved')
    if len(name.encode()) > _MAX_NAME_BYTES or "\0" in name:
        raise bad_request(f"name must be at most {_MAX_NAME_BYTES} bytes")


def missing_role(branch: Branch, name: str) -> ApiError:
    """Neon's answer for a role that a branch does not have."""
    return ApiError(404, f'role not found for branch; role_name:"{name}", branch_id:"{branch.id}"')


def role_of(cloud: Cloud, branch: Branch, name: str) -> Role:
    """Return a role of a branch. Raises ApiError 404."""
    role = cloud.state.roles.get(f"{branch.id}/{name}")
    if role is None:
        raise missing_role(branch, name)
    return role


async def list_roles(cloud: Cloud, request: Request) -> Response:
    """All roles, the oldest first; also those made over SQL, as last seen while its server ran."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    return answer({"roles": [views.role(role) for role in cloud.state.roles.of(branch.id)]})


async def create_role(cloud: Cloud, request: Request) -> Response:
    """Make a role, a member of neon_superuser; the answer holds its password."""
    branch = branch_of(cloud, request)
    wanted = (await bodies.read(request, bodies.RoleCreateRequest)).role
    check_name(wanted.name)
    await cloud.sync(branch)
    cloud.operations.check_unlocked(branch.project_id)
    present = cloud.state.roles.of(branch.id)
    if any(role.name == wanted.name for role in present):
        raise ApiError(
            409, f'role already exists; role_name:"{wanted.name}"', "ROLE_ALREADY_EXISTS"
        )
    if len(present) >= ROLES_PER_BRANCH:
        raise limit("ROLES_LIMIT_EXCEEDED", f"roles limit of {ROLES_PER_BRANCH} exceeded")
    now = cloud.clock.now()
    no_login = bool(wanted.no_login)
    role = Role(branch.id, wanted.name, None if no_login else ids.password(), now, now, no_login)
    with cloud.state.change() as change:
        change.put(role)
        operations = cloud.operations.schedule(
            change, branch.project_id, _apply(branch, {"kind": "create_role", "role": role.name})
        )
    return _with_operations(role, operations, 201)


async def get_role(cloud: Cloud, request: Request) -> Response:
    """One role."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    return answer({"role": views.role(role_of(cloud, branch, request.path_params["role_name"]))})


async def delete_role(cloud: Cloud, request: Request) -> Response:
    """Drop a role that owns no database."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    role = cloud.state.roles.get(f"{branch.id}/{request.path_params['role_name']}")
    if role is None:
        return gone()
    cloud.operations.check_unlocked(branch.project_id)
    owned = [each for each in cloud.state.databases.of(branch.id) if each.owner_name == role.name]
    if owned:
        raise ApiError(
            422, f'cannot delete role that owns a database; database_name:"{owned[0].name}"'
        )
    with cloud.state.change() as change:
        change.delete(role)
        operations = cloud.operations.schedule(
            change, branch.project_id, _apply(branch, {"kind": "drop_role", "role": role.name})
        )
    return answer({"role": views.role(role), "operations": views.operations(operations)})


async def reveal_password(cloud: Cloud, request: Request) -> Response:
    """Give the password of a role, where the project stores passwords."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    role = role_of(cloud, branch, request.path_params["role_name"])
    if not cloud.state.projects[branch.project_id].store_passwords or role.password is None:
        raise ApiError(412, "password is not stored for the role")
    return answer({"password": role.password})


async def reset_password(cloud: Cloud, request: Request) -> Response:
    """Give a role a new password."""
    branch = branch_of(cloud, request)
    await cloud.sync(branch)
    role = role_of(cloud, branch, request.path_params["role_name"])
    cloud.operations.check_unlocked(branch.project_id)
    if role.no_login:
        raise ApiError(422, "role has no login")
    role.password = ids.password()
    role.updated_at = cloud.clock.now()
    with cloud.state.change() as change:
        change.put(role)
        operations = cloud.operations.schedule(
            change, branch.project_id, _apply(branch, {"kind": "set_password", "role": role.name})
        )
    return _with_operations(role, operations, 200)


def _apply(branch: Branch, task: dict[str, str]) -> list[Step]:
    return [Step("apply_config", task, branch.id)]


def _with_operations(role: Role, operations: list[Operation], status: int) -> Response:
    return answer(
        {
            "role": views.role(role, password=True),
            "operations": views.operations(operations),
        },
        status,
    )


_ROLES = "/projects/{project_id}/branches/{branch_id}/roles"
ROUTES: Routes = [
    ("GET", _ROLES, list_roles),
    ("POST", _ROLES, create_role),
    ("GET", _ROLES + "/{role_name}", get_role),
    ("DELETE", _ROLES + "/{role_name}", delete_role),
    ("GET", _ROLES + "/{role_name}/reveal_password", reveal_password),
    ("POST", _ROLES + "/{role_name}/reset_password", reset_password),
]
