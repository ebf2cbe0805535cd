"""What of the cloud a request's key reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.neon.caller import caller_of
from localcloud.neon.errors import not_found

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Project


def project_of(cloud: Cloud, request: Request) -> Project:
    """Return the project of the path. Raises ApiError 404."""
    project = cloud.project(request.path_params["project_id"])
    if not caller_of(request).sees(project):
        raise not_found("project")
    return project


def branch_of(cloud: Cloud, request: Request) -> Branch:
    """Return the branch of the path. Raises ApiError 404."""
    project = project_of(cloud, request)
    return cloud.branch(project.id, request.path_params["branch_id"])
