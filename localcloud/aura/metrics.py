"""The metrics of a tenant's instances, in Prometheus's text format: what the local cloud knows of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from localcloud.aura.access import bearer
from localcloud.aura.errors import GatewayError
from localcloud.aura.tokens import Standing

if TYPE_CHECKING:
    from starlette.requests import Request

    from localcloud.aura.cloud import Aura

PREFIX = "/metrics/"
PATH = PREFIX + "{tenant_id}"
_GIGABYTE = 1024**3
_HELP = {
    "aura_instance_running": "Whether the instance runs",
    "aura_instance_memory_bytes": "The instance's memory",
}


def endpoint(aura: Aura, tenant_id: str) -> str:
    """Return the address of a tenant's metrics."""
    return f"http://127.0.0.1:{aura.settings.aura_port}{PREFIX}{tenant_id}"


def is_client(aura: Aura, request: Request) -> bool:
    """Whether a request has a good token."""
    token = bearer(request.headers.get("authorization", ""))
    return bool(token) and aura.tokens.judge(str(token), aura.now()) is Standing.GOOD


async def read(aura: Aura, request: Request) -> Response:
    """Give the metrics to whoever has a token of the account."""
    if not is_client(aura, request):
        raise GatewayError(401, "Unauthorized")
    aura.check_tenant(request.path_params["tenant_id"])
    lines = []
    for name, text in _HELP.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
        for instance in aura.instances():
            value = (
                int(aura.status(instance) == "running")
                if name == "aura_instance_running"
                else int(instance.memory.removesuffix("GB")) * _GIGABYTE
            )
            lines.append(f'{name}{{instance_id="{instance.id}"}} {value}')
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
