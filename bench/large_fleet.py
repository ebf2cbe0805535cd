"""What `tenantry validate`, and `tenantry fleet up` with nothing changed, cost over many apps.

    python -m bench.large_fleet [--apps 10000] [--runs 5] [--before FOLDER] [--json]

Every app has a database with settings and a branch of its own, three services and two API keys: 0.5 kB of YAML. One app
is applied on a local cloud. The others' states are that app's, under their names, with an update of their own whose
message has their digest. A run with nothing changed reads the digest, and when the state was written.

`--before` is another checkout of the project, to compare with: both run in turns, each figure is the least of several.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.fleet import environment
from bench.processes import measure
from tests.engine.fleet_folder import REPOSITORY, FleetFolder
from tests.localcloud_fixture import local_cloud

if TYPE_CHECKING:
    from bench.processes import Cost

TENANT: Final = 100
"""Apps of one tenant."""
BEGIN: Final = """\
version: 1
namespace: %s
defaults: {environment: development, region: aws-us-east-2, deletion: delete}
tenants:
"""
APP: Final = """\
      app%d:
        database:
          postgres_version: 17
          connection_limit: %d
          statement_timeout: 30s
          extensions: [vector, pg_trgm]
          compute: {min_cu: 0.25, max_cu: 2, suspend_after: 5m}
          history_retention: 1d
          branches:
            staging: {}
          credentials: {generation: 1}
        services: [auth, realtime, storage]
        api_keys:
          - {name: default, scopes: [read, write], expires: 2027-06-30}
          - {name: reports, scopes: [read]}
"""
DIGESTS: Final = """
import json, os, sys
from pathlib import Path
from tenantry.fleet.project import Project
inputs = Project.open(Path.cwd(), environment=dict(os.environ)).desired().inputs
json.dump({each.app.names.stack: [app, each.digest] for app, each in inputs.items()}, sys.stdout)
"""


@dataclass(frozen=True)
class Row:
    """One command by one checkout."""

    command: str
    code: str
    wall: float
    cpu: float
    peak_mb: float


def registry(apps: int, namespace: str) -> str:
    """Write a registry of that many apps; each tenant has at most `TENANT`."""
    text = [BEGIN % namespace]
    for number in range(apps):
        tenant, place = divmod(number, TENANT)
        if place == 0:
            text.append(f"  t{tenant}:\n    name: Tenant {tenant}\n    apps:\n")
        text.append(APP % (place, 10 + number % 7))
    return "".join(text)


class Checkout:
    """The project's code in a folder, run on a fleet that nothing changed about."""

    def __init__(self, name: str, code: Path, fleet: FleetFolder) -> None:
        self.name = name
        self._fleet = fleet
        self._environment = {**fleet.environment, "PYTHONPATH": str(code)}

    def applied(self, apps: int) -> None:
        """Give each app the state of the first, as if a run had applied it."""
        self._fleet.registry.write_text(registry(1, self.name))
        self.run("fleet", "up", "--yes")
        self._fleet.registry.write_text(registry(apps, self.name))
        said = subprocess.run(
            (sys.executable, "-c", DIGESTS),
            cwd=self._fleet.folder,
            env=self._environment,
            check=True,
            capture_output=True,
        )
        digests: dict[str, list[str]] = json.loads(said.stdout)
        (state,) = self._fleet.state.glob(".pulumi/stacks/*/*.json")
        (update,) = self._fleet.state.glob(".pulumi/history/*/*/*.history.json")
        copy = update.with_name(update.name.replace(".history.", ".checkpoint."))
        facts = json.loads(update.read_text())
        for stack, (app, digest) in digests.items():
            if stack == state.stem:
                continue
            os.link(state, state.with_name(f"{stack}.json"))
            folder = update.parent.with_name(stack)
            folder.mkdir()
            os.link(copy, folder / copy.name.replace(state.stem, stack))
            facts["message"] = f"tenantry: {app} inputs {digest}"
            (folder / update.name.replace(state.stem, stack)).write_text(json.dumps(facts))

    def run(self, *arguments: str) -> Cost:
        """Run `tenantry …`."""
        command = (sys.executable, "-m", "tenantry", *arguments)
        return measure(command, self._fleet.folder, self._environment, samples_a_second=2)


def nothing_changed(code: Checkout) -> Cost:
    """Run over a fleet, and make sure that no engine was started."""
    cost = code.run("fleet", "up", "--yes")
    if "engine" in cost.parts:
        raise ValueError("an engine was started: something counts as changed")
    return cost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apps", type=int, default=10_000, help="how many apps the fleet has")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command")
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    arguments = parser.parse_args()
    folders = {"now": REPOSITORY}
    if arguments.before:
        folders = {"before": arguments.before.absolute(), **folders}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name, local_cloud(Path(name) / "cloud") as cloud:
        checkouts = []
        for code, folder in folders.items():
            own = environment(cloud) | {"TENANTRY_CATALOG_URL": ""}
            checkouts.append(Checkout(code, folder, FleetFolder(Path(name) / code, own)))
            checkouts[-1].applied(arguments.apps)
        for command, run in (
            ("tenantry validate", lambda code: code.run("validate")),
            ("tenantry fleet up, nothing changed", nothing_changed),
        ):
            taken: dict[str, list[Cost]] = {code: [] for code in folders}
            for _ in range(arguments.runs):
                for checkout in checkouts:
                    taken[checkout.name].append(run(checkout))
            for code, costs in taken.items():
                least = min(costs, key=lambda cost: cost.cpu)
                rows.append(Row(command, code, least.wall, least.cpu, least.peak_mb))
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print("| command | code | wall s | CPU s | peak MB (PSS) |")
    print("| --- | --- | --- | --- | --- |")
    for row in rows:
        print(
            f"| `{row.command}` | {row.code} | {row.wall:.2f} | {row.cpu:.2f} | {row.peak_mb:.0f} |"
        )


if __name__ == "__main__":
    main()
