"""A project's folder with the states of a fleet, without an engine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenantry.fleet.fleet import Fleet
from tenantry.fleet.outlook import Outlook
from tenantry.fleet.selection import Selection
from tenantry.states.history import message

NOW = "2026-11-22T12:00:00.5Z"


class Backend:
    """A project's folder and its states, as runs of a fleet leave them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "state" / ".pulumi"
        (self.root).mkdir(parents=True)
        (folder / "Pulumi.yaml").write_text("name: t\nruntime: python\n")
        self.environment = {
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "NEON_ORG_ID": "org-1",
        }

    def registry(self, apps: Mapping[str, str], limits: str = "") -> None:
        lines = "".join(f"      {name}: {{{facts}}}\n" for name, facts in apps.items())
        body = f"\n{lines}" if apps else " {}\n"
        limited = f"limits: {limits}\n" if limits else ""
        (self.folder / "tenants.yaml").write_text(
            f"version: 1\nnamespace: ns\n{limited}"
            "defaults: {region: aws-us-east-2, environment: development}\n"
            f"tenants:\n  acme:\n    apps:{body}"
        )

    def fleet(self) -> Fleet:
        return Fleet(self.folder, environment=self.environment)

    def applied(self, name: str, *, deletion: str = "delete", **outputs: Any) -> None:
        """Write what a run of the fleet leaves: the state, and the history where the registry has the app."""
        app = f"acme/{name}"
        stack = f"acme--{name}"
        facts = {
            "app": app,
            "deletion": deletion,
            "organization": "org-1",
            "region": "aws-us-east-2",
            "postgresVersion": 17,
            "generation": 1,
            "branches": [],
            "namespace": "ns",
            **outputs,
        }
        self.state(stack, [{"type": "tenantry:app:TenantApp", "urn": app, "outputs": facts}])
        digest = next(
            (
                each.digest
                for each in self.fleet().project.desired().inputs.values()
                if each.app.id == app
            ),
            "0" * 64,
        )
        entry = {"kind": "update", "result": "succeeded", "message": message(app, digest)}
        stem = self.root / "history" / "t" / stack / f"{stack}-1795348800000000000"
        stem.parent.mkdir(parents=True, exist_ok=True)
        Path(f"{stem}.history.json").write_text(json.dumps(entry))
        Path(f"{stem}.checkpoint.json").write_bytes(self._state(stack).read_bytes())

    def state(self, stack: str, resources: list[dict[str, Any]]) -> None:
        latest = {"manifest": {"time": NOW}, "resources": resources}
        self._state(stack).parent.mkdir(parents=True, exist_ok=True)
        self._state(stack).write_text(
            json.dumps({"version": 4, "checkpoint": {"stack": stack, "latest": latest}})
        )

    def look(self, selection: Selection | None = None, **options: Any) -> Outlook:
        return self.fleet().look(selection or Selection(), **options)

    def _state(self, stack: str) -> Path:
        return self.root / "stacks" / "t" / f"{stack}.json"
