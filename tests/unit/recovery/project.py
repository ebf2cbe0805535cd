"""A folder with a project, a registry and a file backend, and clouds that answer from lists."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tenantry.clouds.cloud import Client, Cloud
from tenantry.clouds.neon import NEON
from tenantry.neon.client import NeonApi
from tenantry.neon.looking import NeonClient
from tenantry.recovery.looking import Looker
from tests.fake_pulumi import FakePulumi

REGISTRY = """\
version: 1
namespace: t
tenants:
  acme:
    apps:
      web: {environment: staging, region: aws-us-east-2, deletion: DELETION}
"""
NAME = "t--acme--web"
URN = "urn:pulumi:dev::tenantry::tenantry:app:TenantApp$neon:index/project:Project::acme/web"


def held(id_: str = "p-1", name: str = NAME, **more: Any) -> dict[str, Any]:
    """A project as a state has it."""
    return {
        "urn": URN,
        "type": "neon:index/project:Project",
        "id": id_,
        "inputs": {"name": name, "regionId": "aws-us-east-2", "pgVersion": 17, "orgId": "org"},
        **more,
    }


def creating(resource: dict[str, Any]) -> dict[str, Any]:
    """A create of it that was cut off."""
    return {"type": "creating", "resource": {**resource, "id": ""}}


def listed(id_: str = "p-1", name: str = NAME) -> dict[str, Any]:
    """A project as Neon lists it."""
    return {
        "id": id_,
        "name": name,
        "region_id": "aws-us-east-2",
        "pg_version": 17,
        "org_id": "org",
        "created_at": "2026-11-22T11:00:00Z",
    }


@dataclass
class Neon:
    """Neon's API with a few projects."""

    projects: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2")
        self.asked.append(f"{request.method} {path}")
        if path == "/projects":
            search = request.url.params["search"]
            found = [each for each in self.projects if search in each["name"]]
            return httpx.Response(200, json={"projects": found, "pagination": {}})
        for each in self.projects:
            if path == f"/projects/{each['id']}":
                if request.method == "DELETE":
                    self.projects.remove(each)
                return httpx.Response(200, json={"project": each})
        return httpx.Response(404, json={"message": "project not found"})


def neon_client(answer: Callable[[httpx.Request], httpx.Response]) -> NeonClient:
    """Connect to a Neon that answers so, in the organization `org`."""
    return NeonClient(NeonApi(api_key="k", transport=httpx.MockTransport(answer)), "org")


class LocalLooker(Looker):
    """Asks the given Neon."""

    cloud: Neon

    def connect(self, cloud: Cloud) -> Client:
        return neon_client(self.cloud) if cloud is NEON else super().connect(cloud)


class Project:
    """The folder."""

    def __init__(self, folder: Path, deletion: str = "delete") -> None:
        self.folder = folder
        self.state_folder = folder / "state"
        (self.state_folder / ".pulumi").mkdir(parents=True)
        (self.state_folder / ".pulumi" / "meta.yaml").write_text("version: 1\n")
        (folder / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
        (folder / "tenants.yaml").write_text(REGISTRY.replace("DELETION", deletion))
        self.pulumi = FakePulumi(folder / "bin")
        self.pulumi.answers("config", out="{}")
        # Keeps what it is given in place of the state.
        self.pulumi.answers("stack import", keeps=str(folder / "import.json"))
        self.environment = {
            "PATH": self.pulumi.path,
            "PULUMI_BACKEND_URL": self.state_folder.as_uri(),
            "PULUMI_STACK": "dev",
            "NEON_ORG_ID": "org",
        }
        self.neon = Neon()

    def write_state(
        self,
        *resources: dict[str, Any],
        pending: list[dict[str, Any]] | None = None,
        at: str = "2026-11-22T10:00:00.123456789Z",
        stack: str = "dev",
    ) -> None:
        """Put a state into the backend, and into what `pulumi stack export` answers."""
        latest = {
            "manifest": {"time": at},
            "resources": list(resources),
            "pending_operations": pending or [],
        }
        file = self.state_folder / ".pulumi" / "stacks" / "tenantry" / f"{stack}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
        self.pulumi.answers("stack export", out=json.dumps({"version": 3, "deployment": latest}))

    def write_lock(self, stack: str = "dev", **facts: Any) -> Path:
        """Put a lock into the backend; of this machine's dead process where nothing else is said."""
        folder = self.state_folder / ".pulumi" / "locks" / "organization" / "tenantry" / stack
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{len(list(folder.iterdir()))}.json"
        content = {
            "pid": 2**22 + 1,
            "username": "ann",
            "hostname": socket.gethostname(),
            "timestamp": "2026-11-22T10:00:00.5+01:00",
            **facts,
        }
        file.write_text(json.dumps(content))
        return file

    def looker(self) -> LocalLooker:
        """Look from here."""
        looker = LocalLooker(self.folder, self.environment)
        looker.cloud = self.neon
        return looker

    def called(self) -> list[str]:
        """The calls of `pulumi`."""
        return self.pulumi.texts
