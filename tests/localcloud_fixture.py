"""A real local cloud for tests: a daemon of its own, on free ports, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests import aura_document
from tests.neon_document import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS = 180


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud."""

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
    ca_file: Path
    extensions: list[str]
    pid: int
    data: Path

    def env(self) -> dict[str, str]:
        """Return the environment variables by which programs find it."""
        return {
            "NEON_API_URL": self.neon_api_url,
            "NEON_API_KEY": self.neon_api_key,
            "NEON_ORG_ID": self.neon_org_id,
            "TENANTRY_CATALOG_URL": self.catalog_url,
            "AURA_BASE_URL": self.aura_base_url,
            "AURA_TOKEN_URL": self.aura_token_url,
            "AURA_CLIENT_ID": self.aura_client_id,
            "AURA_CLIENT_SECRET": self.aura_client_secret,
            "AURA_TENANT_ID": self.aura_tenant_id,
            "TENANTRY_ISSUER_URL": self.issuer_url,
            "NEON_API_RPM": "6000",
            "NEON_POLL_SECONDS": "0.2",
            "AURA_REQUESTS_PER_MINUTE": "6000",
            "AURA_POLL_SECONDS": "0.2-1",
        }

    def client(self, key: str | None = None) -> httpx.Client:
        """Return a client whose every answer is checked against Neon's API document, where that is at hand."""
        return httpx.Client(
            base_url=self.neon_api_url,
            headers={"Authorization": f"Bearer {key or self.neon_api_key}"},
            event_hooks={"response": [checked]},
            timeout=30,
        )

    def aura(self) -> httpx.Client:
        """Return a client with a token whose every answer is checked against the Aura API's document."""
        token = httpx.post(
            self.aura_token_url,
            data={"grant_type": "client_credentials"},
            auth=(self.aura_client_id, self.aura_client_secret),
        ).raise_for_status()
        return httpx.Client(
            base_url=self.aura_base_url,
            headers={"Authorization": f"Bearer {token.json()['access_token']}"},
            event_hooks={"response": [aura_document.checked]},
            timeout=30,
        )


def localcloud(
    command: str, data: Path, *options: str, check: bool = True, machine: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the command ``localcloud`` on a data folder, on a machine of :mod:`tests.localcloud.machine` where given."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [*machine, sys.executable, "-m", "localcloud", command, "--data", str(data), *options],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=check,
        env=os.environ | {"PYTHONPATH": path},
    )


def start(data: Path, *options: str, machine: Sequence[str] = ()) -> LocalCloud:
    """Start a daemon, or find the one that runs. Neon's rate limit is off unless the options set it."""
    limit = ("--neon-rate-limit", "0")
    done = localcloud("start", data, "--json", *limit, *options, check=False, machine=machine)
    if done.returncode != 0:
        raise RuntimeError(f"localcloud start failed: {done.stderr}")
    facts: dict[str, Any] = json.loads(done.stdout)
    paths = {name: Path(facts[name]) for name in ("ca_file", "data")}
    return LocalCloud(**facts | paths)


@contextmanager
def local_cloud(
    data: Path,
    *options: str,
    plan: str = "scale",
    pace: float = 0.0,
    machine: Sequence[str] = (),
) -> Iterator[LocalCloud]:
    """Run a local cloud for the length of a block; its data folder, with all that belongs to it, goes with it.

    ``options`` are more of ``localcloud start``, e.g. ``"--aura-create-seconds", "0.2"``.
    """
    cloud = start(data, "--plan", plan, "--pace", str(pace), *options, machine=machine)
    try:
        yield cloud
    finally:
        localcloud("reset", data)
