"""What a create and a no-op cost for 1, 5 and 20 apps in one stack, on the local cloud.

    python -m bench.apps_in_one_stack [--apps 1,5,20] [--json]

Measures wall and CPU seconds of `pulumi up` with everything that it starts, peak memory (PSS of the whole process tree,
sampled), and the requests that the local Neon API saw. The ratio sets a no-op against a no-op of a stack without apps
in the same run: machines differ, the ratio less so.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import local_cloud

SAMPLES_A_SECOND = 5
NO_OPS = 3
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """One `pulumi up`; seconds, megabytes, requests."""

    wall: float
    cpu: float
    peak_pss_mb: float
    requests: int


@dataclass(frozen=True)
class Row:
    """One size of stack."""

    apps: int
    create: Cost
    no_op: Cost
    no_op_to_empty: float


def registry(apps: int) -> str:
    """Write a registry of one tenant with that many apps."""
    lines = ["version: 1", f"namespace: bench{apps}"]
    lines.append("defaults: {environment: development, region: aws-us-east-2, deletion: delete}")
    lines.append("tenants:" if apps else "tenants: {}")
    if apps:
        lines += ["  acme:", "    name: Acme", "    apps:"]
        lines += [f"      app{n}: {{}}" for n in range(apps)]
    return "\n".join(lines) + "\n"


def tree_pss(root: psutil.Process) -> int:
    """Sum the proportional memory of a process and its descendants; what has ended counts nothing."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def measured(work: Callable[[], object], log: Path) -> Cost:
    """Run the work and tell what it and its children took."""
    me, stop, peak = psutil.Process(), threading.Event(), 0

    def sample() -> None:
        nonlocal peak
        while not stop.wait(1 / SAMPLES_A_SECOND):
            peak = max(peak, sum(tree_pss(child) for child in pulumis()))

    def pulumis() -> list[psutil.Process]:
        return [child for child in me.children() if child.name() == "pulumi"]

    before, requests = os.times(), _requests(log)
    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        work()
    finally:
        stop.set()
        sampler.join()
    after = os.times()
    cpu = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return Cost(
        round(after.elapsed - before.elapsed, 2),
        round(cpu, 2),
        round(peak / MEGABYTE, 1),
        _requests(log) - requests,
    )


def _requests(log: Path) -> int:
    return sum("/api/v2/" in line for line in log.read_text().splitlines())


def middle(costs: list[Cost]) -> Cost:
    """Take the median of each figure."""
    return Cost(
        *(
            median(column)
            for column in zip(*(tuple(asdict(c).values()) for c in costs), strict=True)
        )
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", default="1,5,20", help="sizes, separated by commas")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder) / "cloud") as cloud:
        log = cloud.data / "localcloud.log"

        def no_op(workspace: Workspace) -> Cost:
            return middle(
                [
                    measured(lambda: workspace.must("up", "--yes", "--skip-preview"), log)
                    for _ in range(NO_OPS)
                ]
            )

        empty = Workspace(Path(folder) / "empty", cloud.env())
        empty.apply(registry(0))
        for apps in [int(size) for size in arguments.apps.split(",")]:
            workspace = Workspace(Path(folder) / f"apps-{apps}", cloud.env())
            create = measured(lambda w=workspace, n=apps: w.apply(registry(n)), log)  # type: ignore[misc]
            time.sleep(1)
            nothing, some = no_op(empty), no_op(workspace)
            rows.append(Row(apps, create, some, round(some.wall / nothing.wall, 2)))
            workspace.must("destroy", "--yes", "--skip-preview")
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print("apps  run     wall s   cpu s  peak PSS MB  requests  no-op / empty no-op")
    for row in rows:
        for name, cost in (("create", row.create), ("no-op", row.no_op)):
            ratio = f"{row.no_op_to_empty:.2f}" if name == "no-op" else ""
            print(
                f"{row.apps:4}  {name:6}  {cost.wall:6.2f}  {cost.cpu:6.2f}"
                f"  {cost.peak_pss_mb:11.1f}  {cost.requests:8}  {ratio:>19}"
            )


if __name__ == "__main__":
    main()
