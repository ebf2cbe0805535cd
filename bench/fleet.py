"""What a fleet costs by the number of its apps, on the local cloud.

    python -m bench.fleet [--apps 1,10,100] [--runs 5] [--json]

Every app has a template's schema, two services, an API key and rows in the catalog. Measured in one run, so that the
ratios compare like with like:

- a create of the whole fleet, with Neon's limit of 700 requests a minute enforced, and our own default budget;
- a change of one app, over the same change in a fleet of the first size;
- a run in which nothing changed, and one that looks at every app nevertheless;
- a no-op of one app's stack over that of an empty stack, both by `pulumi up`;
- a create of one app over the sum of its waits for the API, operations taking as long as on Neon;
- where the CPU of one app's create and no-op goes.

Each of the smaller figures is the shortest of several. `cpu` is that of the command and all that it starts, without the
local cloud.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.data_layer import registry
from bench.processes import Cost, measure
from tenantry.fleet import Selection
from tests.engine.fleet_folder import FleetFolder
from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud, local_cloud

APP = "{{database: {{schema: base, connection_limit: {limit}}}, services: [auth, storage], api_keys: [{{name: default}}]}}"
LIMIT = 20
TESTS_OWN = frozenset({"NEON_API_RPM", "NEON_POLL_SECONDS"})
"""What the tests set to be quick; here the defaults count."""


@dataclass(frozen=True)
class Row:
    """One size of fleet; seconds, megabytes, kilobytes, requests."""

    apps: int
    create: Cost
    requests: int
    """To Neon's API, in the create."""
    most_in_a_minute: int
    state_kb: float
    """Of all stacks, without their history."""
    change: Cost
    change_requests: int
    change_to_first: float
    nothing: Cost
    every: Cost
    """Nothing changed, and each stack is run nevertheless."""


@dataclass(frozen=True)
class Ratios:
    """What is compared with something else in the same run; seconds."""

    no_op: float
    empty: float
    no_op_to_empty: float
    create: float
    waits: float
    create_to_waits: float


def environment(cloud: LocalCloud) -> dict[str, str]:
    """Return what programs need to find a cloud, with the defaults of everything else."""
    return {name: value for name, value in cloud.env().items() if name not in TESTS_OWN}


def run(folder: FleetFolder, *arguments: str, samples_a_second: float = 4) -> Cost:
    """Run `tenantry fleet …`."""
    command = (sys.executable, "-m", "tenantry", "fleet", *arguments)
    return measure(command, folder.folder, folder.environment, samples_a_second=samples_a_second)


def shortest(costs: list[Cost]) -> Cost:
    """Take the run that the machine disturbed least."""
    return min(costs, key=lambda cost: cost.cpu)


@dataclass(frozen=True)
class Asked:
    """How often an API was asked."""

    total: int
    most_in_a_minute: int
    most_in_a_second: int
    """On one route."""


class Requests:
    """The local cloud's counts of requests to its Neon API."""

    def __init__(self, cloud: LocalCloud) -> None:
        base = cloud.neon_api_url.removesuffix("/api/v2")
        self._client = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {cloud.neon_api_key}"}
        )

    def forget(self) -> None:
        """Begin to count anew."""
        self._client.delete("/_localcloud/requests").raise_for_status()

    def counted(self) -> Asked:
        """Return how many there were since."""
        neon = self._client.get("/_localcloud/requests").raise_for_status().json()["neon"]
        return Asked(
            total=neon["total"],
            most_in_a_minute=neon["highest"]["60s"],
            most_in_a_second=max(
                (route["highest"]["1s"] for route in neon["routes"].values()), default=0
            ),
        )


def size(apps: int, runs: int, cloud: LocalCloud, folder: Path, first: Row | None) -> Row:
    """Create a fleet, change one of its apps, and run it with nothing changed; it goes with the cloud."""
    name = f"fleet{apps}"
    fleet = FleetFolder(folder / name, environment(cloud))
    requests = Requests(cloud)
    text = registry(apps, APP.format(limit=LIMIT), name)
    fleet.registry.write_text(text)
    requests.forget()
    create = run(fleet, "up", "--yes", samples_a_second=1)
    asked = requests.counted()
    state = sum(path.stat().st_size for path in fleet.state.glob(".pulumi/stacks/**/*.json"))
    changes = []
    requests.forget()
    for number in range(1, runs + 1):
        fleet.registry.write_text(
            text.replace(f"connection_limit: {LIMIT}", f"connection_limit: {LIMIT + number}", 1)
        )
        changes.append(run(fleet, "up", "--yes", "--json"))
    change_requests = requests.counted().total // runs
    nothing = shortest([run(fleet, "up", "--yes") for _ in range(runs)])
    every = run(fleet, "up", "--yes", "--all", samples_a_second=1)
    change = shortest(changes)
    return Row(
        apps=apps,
        create=create,
        requests=asked.total,
        most_in_a_minute=asked.most_in_a_minute,
        state_kb=state / 1024,
        change=change,
        change_requests=change_requests,
        change_to_first=change.cpu / (first.change if first else change).cpu,
        nothing=nothing,
        every=every,
    )


def parts_of_one(runs: int, cloud: LocalCloud, folder: Path) -> dict[str, dict[str, float]]:
    """Tell where the CPU of one app's create and no-op goes: in a fleet, and where the program has its own process."""
    stack = Workspace(folder / "alone", environment(cloud))
    stack.registry.write_text(registry(1, APP.format(limit=LIMIT), "alone"))
    alone = measure(
        (sys.executable, "-m", "tenantry", "up", "--yes"),
        stack.folder,
        stack.environment,
        samples_a_second=50,
        memory=False,
    )
    stack.must("destroy", "--yes", "--skip-preview")
    fleet = FleetFolder(folder / "parts", environment(cloud))
    fleet.registry.write_text(registry(1, APP.format(limit=LIMIT), "parts"))

    def sampled(*arguments: str) -> Cost:
        command = (sys.executable, "-m", "tenantry", "fleet", *arguments)
        return measure(command, fleet.folder, fleet.environment, samples_a_second=50, memory=False)

    create = sampled("up", "--yes")
    no_op = shortest([sampled("up", "--yes", "--all") for _ in range(runs)])
    fleet.fleet().destroy(Selection(), confirmed="parts")
    return {
        "create by `tenantry up`, with its preview": alone.parts,
        "create by `tenantry fleet up`": create.parts,
        "no-op by `tenantry fleet up --all`": no_op.parts,
    }


def waits(cloud: LocalCloud) -> float:
    """Sum how long the API took to answer all requests, and its operations to end; seconds."""
    lines = (cloud.data / "localcloud.log").read_text().splitlines()
    answers = sum(
        float(line.split()[-2]) / 1000
        for line in lines
        if "/api/v2/" in line and line.endswith(" ms")
    )
    with cloud.client() as client:
        (project,) = client.get("/projects", params={"org_id": cloud.neon_org_id}).json()[
            "projects"
        ]
        found: list[dict[str, Any]] = client.get(
            f"/projects/{project['id']}/operations", params={"limit": 1000}
        ).json()["operations"]
    worked: int = sum(each["total_duration_ms"] for each in found)
    return answers + worked / 1000


def ratios(runs: int, folder: Path) -> Ratios:
    """Set a no-op against that of an empty stack, and a create against its waits."""
    with local_cloud(folder / "quick-cloud") as cloud:
        env = environment(cloud)
        app, empty = Workspace(folder / "one", env), Workspace(folder / "empty", env)
        app.apply(registry(1, APP.format(limit=LIMIT), "one"))
        nobody = "version: 1\nnamespace: empty\ntenants: {}\n"
        empty.apply(nobody)
        command = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")
        took = [
            tuple(
                measure(
                    command, each.folder, each.environment, samples_a_second=1, memory=False
                ).wall
                for each in (app, empty)
            )
            for _ in range(runs)
        ]
        no_op, nothing = (min(column) for column in zip(*took, strict=True))
        app.must("destroy", "--yes", "--skip-preview")
    with local_cloud(folder / "slow-cloud", pace=1.0) as cloud:
        fleet = FleetFolder(folder / "realistic", environment(cloud))
        fleet.registry.write_text(registry(1, APP.format(limit=LIMIT), "realistic"))
        create = run(fleet, "up", "--yes", samples_a_second=1).wall
        waited = waits(cloud)
    return Ratios(no_op, nothing, no_op / nothing, create, waited, create / waited)


def show(rows: list[Row], found: Ratios, parts: dict[str, dict[str, float]]) -> None:
    """Print what was measured, as the tables of docs/performance.md."""
    print(
        "| apps | run | wall s | CPU s | CPU s per app | peak MB (PSS) | requests | state kB per app |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        for name, cost, asked, state in (
            ("create", row.create, f"{row.requests}", f"{row.state_kb / row.apps:.0f}"),
            ("one app changed", row.change, f"{row.change_requests}", ""),
            ("looked at every app", row.every, "", ""),
            ("nothing changed", row.nothing, "", ""),
        ):
            each = f"{cost.cpu / row.apps:.1f}" if cost in (row.create, row.every) else ""
            print(
                f"| {row.apps} | {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {each} | {cost.peak_mb:.0f} | {asked} | {state} |"
            )
    for row in rows:
        print(
            f"{row.apps} apps: a change of one over the same with {rows[0].apps}: {row.change_to_first:.2f}; most requests in a minute {row.most_in_a_minute}"
        )
    print(
        f"no-op of one app over an empty stack: {found.no_op:.2f} s / {found.empty:.2f} s = {found.no_op_to_empty:.2f}"
    )
    print(
        f"create of one app over its waits: {found.create:.1f} s / {found.waits:.1f} s = {found.create_to_waits:.2f}"
    )
    for run_name, shares in parts.items():
        whole = sum(shares.values())
        told = ", ".join(
            f"{part} {seconds:.2f} s ({seconds / whole:.0%})"
            for part, seconds in sorted(shares.items(), key=lambda item: -item[1])
        )
        print(f"CPU of one app's {run_name}: {whole:.2f} s: {told}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apps", default="1,10,100", help="sizes, separated by commas")
    parser.add_argument("--runs", type=int, default=5, help="runs of what is short")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = ratios(arguments.runs, folder)
        with local_cloud(folder / "cloud", "--neon-rate-limit", "700") as cloud:
            parts = parts_of_one(arguments.runs, cloud, folder)
            for apps in [int(each) for each in arguments.apps.split(",")]:
                rows.append(size(apps, arguments.runs, cloud, folder, rows[0] if rows else None))
            # Before the cloud goes, with the servers of all projects: that takes minutes on a busy disk, and may fail.
            if arguments.json:
                document = {
                    "sizes": [asdict(row) for row in rows],
                    "ratios": asdict(found),
                    "parts": parts,
                }
                print(json.dumps(document, indent=2), flush=True)
            else:
                show(rows, found, parts)
                sys.stdout.flush()


if __name__ == "__main__":
    main()
