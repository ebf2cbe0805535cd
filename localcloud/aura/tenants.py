"""Tenants (projects, in the vendor's newer words): there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.aura import metrics, views
from localcloud.aura.routing import Routes, answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.aura.cloud import Aura


async def list_tenants(aura: Aura, _request: Request) -> Response:
    """All tenants."""
    return answer([views.tenant_summary(aura)])


async def get_tenant(aura: Aura, request: Request) -> Response:
    """One tenant with its instance configurations."""
    aura.check_tenant(request.path_params["tenant_id"])
    return answer(views.tenant(aura))


async def metrics_integration(aura: Aura, request: Request) -> Response:
    """Where the tenant's metrics are read."""
    tenant_id = request.path_params["tenant_id"]
    aura.check_tenant(tenant_id)
    return answer({"endpoint": metrics.endpoint(aura, tenant_id)})


ROUTES: Routes = [
    ("GET", "/tenants", list_tenants),
    ("GET", "/tenants/{tenant_id}", get_tenant),
    ("GET", "/tenants/{tenant_id}/metrics-integration", metrics_integration),
]
