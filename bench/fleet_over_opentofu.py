"""What a fleet costs by `tenantry fleet up`, and what the same apps cost by OpenTofu with the stock providers.

    python -m bench.fleet_over_opentofu [--apps 40] [--few 10] [--runs 3] [--json]

Both make the same of an app on the local cloud: a project, its owner, a group role, a login, a database, a schema,
grants and three default privileges; no catalog. The bench compares that by SQL on one app, and ends with an error where
it differs. Two things only ours does, and it does them here too: PUBLIC loses its rights, and sessions that idle in a
transaction end.

- a create with operations that end at once, and no limit of requests;
- a create with operations as long as on Neon, and Neon's limit of 700 requests a minute;
- nothing changed, and one app changed: each the shortest of several, the two programs in turns;
- a create of a few apps, operations at once.

TENANTRY_BENCH_TOFU is the path of `tofu`, which runs with its defaults. TENANTRY_BENCH_TOFU_PROVIDERS is a filesystem
mirror with `kislerdm/neon`, `hashicorp/random` and `terraform-providers/postgresql` 1.7.1. Without both variables ours
is measured alone. Figures are of the command and all that it starts, without the local cloud.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.data_layer import registry
from bench.fleet import Asked, Requests, environment, run
from bench.opentofu.console import console
from bench.opentofu.folder import PROGRAM, PROVIDERS, OpenTofu, OpenTofuFolder
from bench.opentofu.made import compare, look, projects
from tenantry.registry import load
from tests.engine.fleet_folder import FleetFolder
from tests.localcloud_fixture import LocalCloud, local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.processes import Cost

LIMIT: Final = 20
NEON: Final = 700
"""Requests that Neon takes in a minute."""


@dataclass(frozen=True)
class Figures:
    """One run of one program."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds."""
    requests: int
    requests_per_app: float
    most_in_a_minute: int
    most_in_a_second: int
    """On one route."""
    peak_mb: int
    projects: int
    """That are there in the end. More than there are apps: some were made twice, and nobody knows of one of the two."""


@dataclass(frozen=True)
class Row:
    """One case."""

    name: str
    ours: Figures
    theirs: Figures | None
    """None where OpenTofu is not there."""


class Ours:
    """The apps as `tenantry fleet` provisions them."""

    def __init__(self, folder: Path, cloud: LocalCloud, apps: int) -> None:
        self._fleet = FleetFolder(folder, environment(cloud) | {"TENANTRY_CATALOG_URL": ""})
        self._apps = apps
        self.declare(LIMIT)

    @property
    def registry(self) -> Path:
        """Where the apps are declared."""
        return self._fleet.registry

    def declare(self, limit: int) -> None:
        """Declare the apps, the first with this limit of connections."""
        self.registry.write_text(apps_of("ours", self._apps, limit))

    def apply(self, samples_a_second: float) -> Cost:
        """Run `tenantry fleet up`."""
        return run(self._fleet, "up", "--yes", samples_a_second=samples_a_second)


class Theirs:
    """The same apps as OpenTofu provisions them."""

    def __init__(
        self, folder: Path, cloud: LocalCloud, apps: int, tofu: OpenTofu, way: dict[str, str]
    ) -> None:
        access = {"NEON_API_KEY": cloud.neon_api_key, **way}
        self._tofu = OpenTofuFolder(folder, tofu, access, cloud.neon_org_id)
        self._apps = apps
        self.registry = folder / "tenants.yaml"
        self.declare(LIMIT)
        self._tofu.init()

    def declare(self, limit: int) -> None:
        """Declare the apps, the first with this limit of connections."""
        self.registry.write_text(apps_of("theirs", self._apps, limit))
        self._tofu.write(self.registry)

    def apply(self, samples_a_second: float) -> Cost:
        """Run `tofu apply`."""
        return self._tofu.apply(samples_a_second=samples_a_second)


def apps_of(namespace: str, apps: int, limit: int) -> str:
    """Write a registry of alike apps, of which the first has this limit of connections."""
    app = f"{{database: {{connection_limit: {LIMIT}}}}}"
    changed = f"{{database: {{connection_limit: {limit}}}}}"
    return registry(apps, app, namespace).replace(app, changed, 1)


def figures(cost: Cost, asked: Asked, apps: int, projects: int) -> Figures:
    """Join what a run took with what it asked for."""
    return Figures(
        wall=cost.wall,
        cpu=cost.cpu,
        requests=asked.total,
        requests_per_app=asked.total / apps,
        most_in_a_minute=asked.most_in_a_minute,
        most_in_a_second=asked.most_in_a_second,
        peak_mb=round(cost.peak_mb),
        projects=projects,
    )


class Measurement:
    """One fleet, or the two, on a local cloud."""

    def __init__(self, cloud: LocalCloud, apps: int, ours: Ours, theirs: Theirs | None) -> None:
        self._cloud = cloud
        self._apps = apps
        self._requests = Requests(cloud)
        self._ours = ours
        self._theirs = theirs

    def create(self, quiet: float = 0) -> tuple[Figures, Figures | None]:
        """Create the apps by each, with so many seconds after each, and compare one app of each."""
        ours = self._measure(self._ours, samples_a_second=1, quiet=quiet)
        if self._theirs is None:
            return ours, None
        theirs = self._measure(self._theirs, samples_a_second=1, quiet=quiet)
        made = [
            look(load(each.registry).apps[0], self._cloud) for each in (self._ours, self._theirs)
        ]
        sys.stderr.write(f"both made the same of an app: {compare(*made)}\n")
        return ours, theirs

    def again(self, runs: int, *, change: bool) -> tuple[Figures, Figures | None]:
        """Run each several times in turns, each time with a change of one app or with none, and take the shortest."""
        ours: list[Figures] = []
        theirs: list[Figures] = []
        for number in range(1, runs + 1):
            for each, taken in ((self._ours, ours), (self._theirs, theirs)):
                if each is not None:
                    if change:
                        each.declare(LIMIT + number)
                    taken.append(self._measure(each, samples_a_second=4))
        return (_least(ours), _least(theirs) if theirs else None)

    def _measure(self, each: Ours | Theirs, samples_a_second: float, quiet: float = 0) -> Figures:
        self._requests.forget()
        cost = each.apply(samples_a_second)
        asked = self._requests.counted()
        time.sleep(quiet)
        found = projects(load(each.registry).namespace, self._cloud)
        return figures(cost, asked, self._apps, sum(len(ids) for ids in found.values()))


def _least(taken: list[Figures]) -> Figures:
    return min(taken, key=lambda figures: figures.cpu)


@contextmanager
def measurement(
    folder: Path, apps: int, tofu: OpenTofu | None, *, pace: float, limit: int
) -> Iterator[Measurement]:
    """Give a local cloud with nothing on it, and what is measured there."""
    with ExitStack() as ends:
        enter = ends.enter_context
        options = ("--neon-rate-limit", str(limit))
        cloud = enter(local_cloud(folder / "cloud", *options, pace=pace))
        theirs = None
        if tofu is not None:
            way = enter(console(cloud.neon_api_url, folder))
            theirs = Theirs(folder / "theirs", cloud, apps, tofu, way)
        yield Measurement(cloud, apps, Ours(folder / "ours", cloud, apps), theirs)


def rows(apps: int, few: int, runs: int, tofu: OpenTofu | None, folder: Path) -> Iterator[Row]:
    """Measure each case."""
    with measurement(folder / "many", apps, tofu, pace=0, limit=0) as many:
        yield Row(f"create of {apps}, operations at once", *many.create())
        yield Row("nothing changed", *many.again(runs, change=False))
        yield Row("one app changed", *many.again(runs, change=True))
    with measurement(folder / "slow", apps, tofu, pace=1, limit=NEON) as slow:
        # The limit is one of the last minute: what the first asked would be held against the second.
        name = f"create of {apps}, operations as long as on Neon, its limit on"
        yield Row(name, *slow.create(quiet=60))
    with measurement(folder / "few", few, tofu, pace=0, limit=0) as small:
        yield Row(f"create of {few}, operations at once", *small.create())


HEADS: Final = (
    *("case", "by", "wall s", "CPU s", "requests", "requests per app"),
    *("busiest minute", "busiest second of a route", "peak MB (PSS)", "projects"),
)
"""Of the table."""


def cells(figures: Figures) -> list[str]:
    """Write what one run took."""
    values = astuple(figures)
    return [f"{value:.1f}" if isinstance(value, float) else str(value) for value in values]


def ratios(ours: Figures, theirs: Figures) -> list[str]:
    """Write ours over theirs; empty where theirs is nothing."""
    pairs = zip(astuple(ours), astuple(theirs), strict=True)
    return [f"{mine / other:.2f}" if other else "" for mine, other in pairs]


def show(row: Row, version: str) -> None:
    """Print the lines of one case."""
    lines = [[row.name, "`tenantry fleet up`", *cells(row.ours)]]
    if row.theirs is not None:
        lines.append(["", f"OpenTofu {version}", *cells(row.theirs)])
        lines.append(["", "ratio", *ratios(row.ours, row.theirs)])
    for line in lines:
        print(f"| {' | '.join(line)} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apps", type=int, default=40, help="how many apps the fleet has")
    parser.add_argument("--few", type=int, default=10, help="how many the small fleet has")
    parser.add_argument("--runs", type=int, default=3, help="runs of what is short")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        tofu = OpenTofu.found(os.environ)
    except ValueError as error:
        parser.error(str(error))
    if tofu is None:
        sys.stderr.write(f"{PROGRAM} and {PROVIDERS} are not set: ours is measured alone\n")
    version = tofu.version() if tofu else ""
    with tempfile.TemporaryDirectory() as name:
        found = rows(arguments.apps, arguments.few, arguments.runs, tofu, Path(name))
        if arguments.json:
            document = {"opentofu": version or None, "cases": [asdict(row) for row in found]}
            print(json.dumps(document, indent=2))
            return
        print(f"| {' | '.join(HEADS)} |")
        print("| --- " * len(HEADS) + "|")
        for row in found:
            show(row, version)


if __name__ == "__main__":
    main()
