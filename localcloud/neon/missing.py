"""Routes of Neon's API document that the local cloud does not have: 501, where an unknown route is a 404.

What they do cannot be had on one machine from PostgreSQL alone, so an answer would only look like Neon's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.errors import not_here

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.neon.routing import Routes

_PROJECT = "/projects/{project_id}"
_BRANCH = _PROJECT + "/branches/{branch_id}"
_ORGANIZATION = "/organizations/{org_id}"

# By path: the methods.
_MISSING = {
    "/projects/auth/create": "POST",
    "/projects/auth/keys": "POST",
    "/projects/auth/transfer_ownership": "POST",
    "/projects/auth/user": "POST",
    _PROJECT + "/advisors": "GET",
    _PROJECT + "/auth/domains": "GET POST DELETE",
    _PROJECT + "/auth/email_server": "GET PATCH",
    _PROJECT + "/auth/integration/{auth_provider}": "DELETE",
    _PROJECT + "/auth/integrations": "GET",
    _PROJECT + "/auth/oauth_providers": "GET POST",
    _PROJECT + "/auth/oauth_providers/{oauth_provider_id}": "PATCH DELETE",
    _PROJECT + "/auth/users/{auth_user_id}": "DELETE",
    _BRANCH + "/ai_gateway": "GET",
    _BRANCH + "/auth": "GET POST DELETE",
    _BRANCH + "/auth/allow_localhost": "GET PATCH",
    _BRANCH + "/auth/config": "PATCH",
    _BRANCH + "/auth/domains": "GET POST DELETE",
    _BRANCH + "/auth/email_and_password": "GET PATCH",
    _BRANCH + "/auth/email_provider": "GET PATCH",
    _BRANCH + "/auth/oauth_providers": "GET POST",
    _BRANCH + "/auth/oauth_providers/{oauth_provider_id}": "PATCH DELETE",
    _BRANCH + "/auth/plugins": "GET",
    _BRANCH + "/auth/plugins/magic-link": "PATCH",
    _BRANCH + "/auth/plugins/organization": "PATCH",
    _BRANCH + "/auth/plugins/phone-number": "GET PATCH",
    _BRANCH + "/auth/send_test_email": "POST",
    _BRANCH + "/auth/users": "POST",
    _BRANCH + "/auth/users/{auth_user_id}": "DELETE",
    _BRANCH + "/auth/users/{auth_user_id}/role": "PUT",
    _BRANCH + "/auth/webhooks": "GET PUT",
    _BRANCH + "/credentials": "GET POST",
    _BRANCH + "/credentials/{token_id}": "DELETE",
    _BRANCH + "/data-api/{database_name}": "GET POST PATCH DELETE",
    _BRANCH + "/functions": "GET",
    _BRANCH + "/functions/{slug}": "GET PATCH DELETE",
    _BRANCH + "/functions/{slug}/deployments": "POST",
    _BRANCH + "/storage": "GET",
}


async def refuse(_cloud: Cloud, request: Request) -> Response:
    """Say that Neon has this and the local cloud does not."""
    raise not_here(f"{request.method} {request.url.path}")


ROUTES: Routes = [
    (method, path, refuse) for path, methods in _MISSING.items() for method in methods.split()
]
