"""The one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.caller import caller_of
from localcloud.neon.routing import Routes, answer
from localcloud.neon.views import USER_EMAIL, USER_NAME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud


async def current_user(cloud: Cloud, request: Request) -> Response:
    """Describe the holder of a personal key, with the plan's limits."""
    caller_of(request).check_personal()
    first, _, last = USER_NAME.partition(" ")
    login = USER_EMAIL.partition("@")[0]
    return answer(
        {
            "active_seconds_limit": 0,
            "auth_accounts": [],
            "email": USER_EMAIL,
            "id": cloud.settings.user_id,
            "image": "",
            "login": login,
            "name": first,
            "last_name": last,
            "projects_limit": cloud.plan.projects,
            "branches_limit": cloud.plan.branches_per_project,
            "max_autoscaling_limit": cloud.plan.max_cu,
            "plan": cloud.plan.subscription_type,
        }
    )


async def auth_details(cloud: Cloud, request: Request) -> Response:
    """Say what kind of key asks."""
    caller = caller_of(request)
    return answer(
        {
            "account_id": caller.org_id or cloud.settings.user_id,
            "auth_method": "api_key_org" if caller.org_id else "api_key_user",
        }
    )


ROUTES: Routes = [("GET", "/users/me", current_user), ("GET", "/auth", auth_details)]
