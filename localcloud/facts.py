"""What `start` and `status` tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.settings import CA_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from localcloud.settings import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """What a user of a running local cloud needs.

    ``hosts`` says in words what hosts new endpoints get. ``ca_file`` is what their certificates are verified with
    (``sslrootcert``). ``extensions`` are those that a role of the API can create; None if it was started by a version
    that did not say. ``issuer_url`` is the ``iss`` of the tokens of ``localcloud token``; empty in the same case.
    """

    neon_api_url: str
    neon_api_key: str
    neon_org_id: str
    catalog_url: str
    aura_base_url: str
    aura_token_url: str
    aura_client_id: str
    aura_client_secret: str
    aura_tenant_id: str
    issuer_url: str
    hosts: str
    ca_file: str
    extensions: list[str] | None
    pid: int
    data: str


def facts_of(data: Path, settings: Settings, pid: int) -> Facts:
    """Return the facts of the local cloud that runs on a data folder with these settings."""
    aura = f"http://127.0.0.1:{settings.aura_port}"
    return Facts(
        neon_api_url=f"http://127.0.0.1:{settings.port}/api/v2",
        neon_api_key=settings.neon_api_key,
        neon_org_id=settings.neon_org_id,
        catalog_url=settings.catalog_url,
        aura_base_url=f"{aura}/v1",
        aura_token_url=f"{aura}/oauth/token",
        aura_client_id=settings.aura_client_id,
        aura_client_secret=settings.aura_client_secret,
        aura_tenant_id=settings.aura_tenant_id,
        issuer_url=f"http://127.0.0.1:{settings.issuer_port}" if settings.issuer_port else "",
        hosts=settings.hosts,
        ca_file=str(data / CA_FILE),
        extensions=settings.extensions,
        pid=pid,
        data=str(data),
    )
