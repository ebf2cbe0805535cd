"""Neon's API with one project that a person made."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

OWNER = "tenant_acme__web__owner"
NAME = "tenantry--acme--web"


@dataclass
class Neon:
    """Neon's API with one project that a person made, and others by name."""

    project: dict[str, Any] = field(default_factory=dict)
    databases: list[str] = field(default_factory=lambda: ["neondb"])
    compute: dict[str, Any] = field(default_factory=dict)
    branches: list[dict[str, Any]] = field(
        default_factory=lambda: [{"id": "br-1", "default": True}]
    )
    roles: list[str] = field(default_factory=lambda: ["neondb_owner"])
    others: dict[str, str] = field(default_factory=dict)
    """By id, the names of the organization's other projects."""
    broken: set[str] = field(default_factory=set)
    """Requests that are not answered, though what they ask for is done."""
    asked: list[str] = field(default_factory=list)

    def _shown(self, id_: str, **facts: Any) -> dict[str, Any]:
        return {
            "id": id_,
            "name": "kitchen",
            "region_id": "aws-us-east-2",
            "pg_version": 17,
            "org_id": "org-1",
            "store_passwords": True,
            "history_retention_seconds": 604_800,
            "created_at": "2026-11-22T11:00:00Z",
            **facts,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2")
        said = f"{request.method} {path}"
        self.asked.append(said)
        answer = self.answer(said, json.loads(request.content or "{}"))
        if said in self.broken:
            raise httpx.ReadTimeout("no answer")
        return answer

    def answer(self, said: str, body: dict[str, Any]) -> httpx.Response:
        """Answer a request: `METHOD /path`."""
        place = "/projects/p-1/branches/br-1"
        match said, body:
            case "PATCH /projects/p-1", {"project": changed}:
                self.project |= changed
                return httpx.Response(200, json={})
            case _, {"role": {"name": name}} if said == f"POST {place}/roles":
                taken = name in self.roles
                self.roles += [] if taken else [name]
                return httpx.Response(409 if taken else 201, json={"message": "already exists"})
        found = self._read(said.removeprefix("GET "), place)
        missing = {"message": "not found"}
        return httpx.Response(404 if found is None else 200, json=missing | (found or {}))

    def _read(self, path: str, place: str) -> dict[str, Any] | None:
        compute = {
            "type": "read_write",
            "disabled": False,
            "autoscaling_limit_min_cu": 1,
            "autoscaling_limit_max_cu": 4,
            "suspend_timeout_seconds": 0,
            **self.compute,
        }
        dated = [
            {"name": name, "created_at": f"2026-01-{number:02}"}
            for number, name in enumerate(self.databases, start=1)
        ]
        answers: dict[str, dict[str, Any]] = {
            "/projects": {"projects": [self._shown(i, name=n) for i, n in self.others.items()]},
            "/projects/p-1": {"project": self._shown("p-1", **self.project)},
            "/projects/p-1/branches": {"branches": self.branches},
            f"{place}/endpoints": {"endpoints": [compute]},
            f"{place}/databases": {"databases": dated[::-1]},
            f"{place}/roles": {"roles": [{"name": each} for each in self.roles]},
            **{f"{place}/roles/{each}": {"role": {"name": each}} for each in self.roles},
        }
        return answers.get(path)
