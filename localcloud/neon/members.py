"""The organization's one member, and the invitations that nobody is there to accept."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from localcloud.neon import bodies
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError, not_found
from localcloud.neon.organizations import CREATED
from localcloud.neon.parameters import choice_of, limit_of
from localcloud.neon.routing import Routes, answer
from localcloud.neon.views import USER_EMAIL
from localcloud.records import Invitation

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json

_SORTABLE = ("email", "role", "joined_at")
_ADMIN = "admin"


async def list_members(cloud: Cloud, request: Request) -> Response:
    """List the organization's members: the operator."""
    org_id = _organization(cloud, request)
    query = request.query_params
    sort_by = choice_of(query, "sort_by", _SORTABLE, "joined_at")
    order = choice_of(query, "sort_order", ("asc", "desc"), "desc")
    limit_of(query, default=500, maximum=500)
    return answer(
        {
            "members": [{"member": _operator(cloud, org_id), "user": {"email": USER_EMAIL}}],
            "pagination": {"sort_by": sort_by, "sort_order": order.upper()},
        }
    )


async def get_member(cloud: Cloud, request: Request) -> Response:
    """One member."""
    return answer(_member(cloud, request))


async def update_member(cloud: Cloud, request: Request) -> Response:
    """Give a member another role; the only admin stays one."""
    member = _member(cloud, request)
    wanted = await bodies.read(request, bodies.MemberUpdate)
    if wanted.role != _ADMIN:
        raise ApiError(422, "the last admin of an organization cannot be given another role")
    return answer(member)


async def remove_member(cloud: Cloud, request: Request) -> Response:
    """Remove a member; never the only admin."""
    _member(cloud, request)
    raise ApiError(422, "the last admin of an organization cannot be removed")


async def list_invitations(cloud: Cloud, request: Request) -> Response:
    """List the invitations."""
    org_id = _organization(cloud, request)
    return answer({"invitations": [_shown(each) for each in cloud.state.invitations.of(org_id)]})


async def invite(cloud: Cloud, request: Request) -> Response:
    """Invite people, all or none of them. No message is sent."""
    org_id = _organization(cloud, request)
    wanted = (await bodies.read(request, bodies.InvitationsRequest)).invitations
    known = {each.email.lower() for each in cloud.state.invitations.of(org_id)} | {USER_EMAIL}
    for each in wanted:
        if each.email.lower() in known:
            raise ApiError(409, "user is already invited, or a member")
        known.add(each.email.lower())
    made = [
        Invitation(
            id=str(uuid.uuid4()),
            org_id=org_id,
            email=each.email,
            role=each.role,
            invited_by=cloud.settings.user_id,
            invited_at=cloud.clock.now(),
        )
        for each in wanted
    ]
    cloud.state.put(*made)
    return answer({"invitations": [_shown(each) for each in made]})


def _organization(cloud: Cloud, request: Request) -> str:
    return caller_of(request).organization(cloud, request.path_params["org_id"])


def _operator(cloud: Cloud, org_id: str) -> Json:
    return {
        "id": cloud.settings.user_id,
        "user_id": cloud.settings.user_id,
        "org_id": org_id,
        "role": _ADMIN,
        "joined_at": CREATED,
    }


def _member(cloud: Cloud, request: Request) -> Json:
    org_id = _organization(cloud, request)
    if request.path_params["member_id"] != cloud.settings.user_id:
        raise not_found("organization member")
    return _operator(cloud, org_id)


def _shown(record: Invitation) -> Json:
    return {
        "id": record.id,
        "email": record.email,
        "org_id": record.org_id,
        "invited_by": record.invited_by,
        "invited_at": record.invited_at,
        "role": record.role,
    }


_MEMBERS = "/organizations/{org_id}/members"
_INVITATIONS = "/organizations/{org_id}/invitations"
ROUTES: Routes = [
    ("GET", _MEMBERS, list_members),
    ("GET", _MEMBERS + "/{member_id}", get_member),
    ("PATCH", _MEMBERS + "/{member_id}", update_member),
    ("DELETE", _MEMBERS + "/{member_id}", remove_member),
    ("GET", _INVITATIONS, list_invitations),
    ("POST", _INVITATIONS, invite),
]
