"""The routes that exist are routes of the API's document."""

from __future__ import annotations

import pytest

from localcloud.neon.app import DOCUMENTED, ROUTES
from tests.neon_document import DOCUMENT, NEON


@pytest.mark.skipif(not DOCUMENT.exists(), reason="Neon's API document is not at hand")
def test_routes_that_are_there_and_routes_that_are_not_make_up_the_document() -> None:
    assert {(method, path) for method, path, _ in DOCUMENTED} == NEON.routes()


def test_no_route_is_there_twice() -> None:
    routes = [(method, path) for method, path, _ in DOCUMENTED]
    assert len(set(routes)) == len(routes)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/projects"),
        ("GET", "/projects/{project_id}"),
        ("GET", "/projects/{project_id}/operations/{operation_id}"),
        ("GET", "/projects/{project_id}/branches/{branch_id}/roles/{role_name}/reveal_password"),
        ("GET", "/projects/{project_id}/branches/{branch_id}/databases"),
        ("PATCH", "/projects/{project_id}/endpoints/{endpoint_id}"),
        ("POST", "/organizations/{org_id}/api_keys"),
    ],
)
def test_what_the_provider_asks_for_is_there(method: str, path: str) -> None:
    assert (method, path) in {(each[0], each[1]) for each in ROUTES}
