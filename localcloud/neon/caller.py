"""Who asks: the holder of a personal key, or of an organization's."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING

from localcloud.neon.errors import ApiError, bad_request, not_found, unauthorized

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Project

ORG_ID_REQUIRED = "org_id is required, you can find it on your organization settings page"


@dataclass(frozen=True, slots=True)
class Caller:
    """``org_id`` is empty for a personal key; ``project_id`` is set for a key that reaches one project only."""

    org_id: str = ""
    project_id: str | None = None

    def organization(self, cloud: Cloud, asked: str | None) -> str:
        """Return the organization that a request is about.

        A personal key has to say it, an organization's key implies it. Raises ApiError 400 or 404.
        """
        org_id = asked or self.org_id
        if not org_id:
            raise bad_request(ORG_ID_REQUIRED)
        if org_id != cloud.settings.neon_org_id:
            raise not_found("organization")
        return org_id

    def check_personal(self) -> None:
        """Refuse an organization's key on a route about the user. Raises ApiError 404."""
        if self.org_id:
            raise ApiError(404, "not allowed for organization API keys")

    def sees(self, project: Project) -> bool:
        """Whether the key reaches a project."""
        return self.project_id in {None, project.id}


def authenticate(cloud: Cloud, authorization: str, address: str) -> Caller:
    """Return who holds the key of an Authorization header. Raises ApiError 401."""
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise unauthorized()
    if compare_digest(key.encode(), cloud.settings.neon_api_key.encode()):
        return Caller()
    digest = cloud.key_sha256(key)
    for record in cloud.state.api_keys.values():
        if compare_digest(record.sha256, digest):
            # In memory only: a write per request is not worth a time that nobody acts on.
            record.last_used_at = cloud.clock.now()
            record.last_used_from_addr = address
            return Caller(record.org_id, record.project_id)
    raise unauthorized()


def caller_of(request: Request) -> Caller:
    """Return who asks this request."""
    caller: Caller = request.state.caller
    return caller
