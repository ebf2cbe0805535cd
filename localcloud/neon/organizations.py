"""The one organization, and its one member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.caller import caller_of
from localcloud.neon.routing import Routes, answer
from localcloud.neon.views import USER_EMAIL

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json

_CREATED = "2026-01-01T00:00:00Z"


async def my_organizations(cloud: Cloud, request: Request) -> Response:
    """List the caller's organizations."""
    caller_of(request).check_personal()
    return answer({"organizations": [_shown(cloud)]})


async def get_organization(cloud: Cloud, request: Request) -> Response:
    """One organization."""
    caller_of(request).organization(cloud, request.path_params["org_id"])
    return answer(_shown(cloud))


async def list_members(cloud: Cloud, request: Request) -> Response:
    """List the organization's members."""
    org_id = caller_of(request).organization(cloud, request.path_params["org_id"])
    return answer(
        {
            "members": [
                {
                    "member": {
                        "id": cloud.settings.user_id,
                        "user_id": cloud.settings.user_id,
                        "org_id": org_id,
                        "role": "admin",
                        "joined_at": _CREATED,
                    },
                    "user": {"email": USER_EMAIL},
                }
            ],
            "pagination": {"sort_by": "joined_at", "sort_order": "DESC"},
        }
    )


def _shown(cloud: Cloud) -> Json:
    return {
        "id": cloud.settings.neon_org_id,
        "name": "Local Cloud",
        "handle": cloud.settings.neon_org_id.removeprefix("org-"),
        "plan": cloud.plan.subscription_type,
        "created_at": _CREATED,
        "managed_by": "console",
        "updated_at": _CREATED,
    }


ROUTES: Routes = [
    ("GET", "/users/me/organizations", my_organizations),
    ("GET", "/organizations/{org_id}", get_organization),
    ("GET", "/organizations/{org_id}/members", list_members),
]
