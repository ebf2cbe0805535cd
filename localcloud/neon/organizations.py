"""The one organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon import bodies
from localcloud.neon.caller import caller_of
from localcloud.neon.errors import ApiError
from localcloud.neon.routing import Routes, answer
from localcloud.records import SpendingLimit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Json

CREATED = "2026-01-01T00:00:00Z"


async def my_organizations(cloud: Cloud, request: Request) -> Response:
    """List the caller's organizations."""
    caller_of(request).check_personal()
    return answer({"organizations": [_shown(cloud)]})


async def get_organization(cloud: Cloud, request: Request) -> Response:
    """One organization."""
    caller_of(request).organization(cloud, request.path_params["org_id"])
    return answer(_shown(cloud))


async def get_spending_limit(cloud: Cloud, request: Request) -> Response:
    """How much is to be spent in a month at most; null where nobody has said."""
    org_id = _billed(cloud, request)
    limit = cloud.state.spending_limits.get(org_id)
    return answer({"spending_limit_cents": limit.cents if limit else None})


async def set_spending_limit(cloud: Cloud, request: Request) -> Response:
    """Say how much is to be spent in a month at most. Nothing is stopped by it, on Neon neither."""
    org_id = _billed(cloud, request)
    wanted = await bodies.read(request, bodies.SpendingLimitRequest)
    cloud.state.put(SpendingLimit(org_id, wanted.spending_limit_cents))
    return answer({"spending_limit_cents": wanted.spending_limit_cents})


async def delete_spending_limit(cloud: Cloud, request: Request) -> Response:
    """Take the limit away, where there is one."""
    org_id = _billed(cloud, request)
    with cloud.state.change() as change:
        if limit := cloud.state.spending_limits.get(org_id):
            change.delete(limit)
    return answer({})


def _billed(cloud: Cloud, request: Request) -> str:
    org_id = caller_of(request).organization(cloud, request.path_params["org_id"])
    if not cloud.plan.spending_limit:
        raise ApiError(403, "spending limits are available on the Launch and Scale plans only")
    return org_id


def _shown(cloud: Cloud) -> Json:
    return {
        "id": cloud.settings.neon_org_id,
        "name": "Local Cloud",
        "handle": cloud.settings.neon_org_id.removeprefix("org-"),
        "plan": cloud.plan.subscription_type,
        "created_at": CREATED,
        "managed_by": "console",
        "updated_at": CREATED,
    }


_LIMIT = "/organizations/{org_id}/billing/spending_limit"
ROUTES: Routes = [
    ("GET", "/users/me/organizations", my_organizations),
    ("GET", "/organizations/{org_id}", get_organization),
    ("GET", _LIMIT, get_spending_limit),
    ("PUT", _LIMIT, set_spending_limit),
    ("DELETE", _LIMIT, delete_spending_limit),
]
