"""What `tenantry plan` costs over the engine's preview alone, on the local cloud.

    python -m bench.plan_over_preview [--apps 1,10] [--runs 6] [--json]

The apps have a template's schema, a service and an API key. Every app has a pending change. Each figure is the shortest
of several runs, taken in turns. `cpu` is that of the command and all its children.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.data_layer import registry
from tests.engine.workspace import Workspace
from tests.localcloud_fixture import local_cloud

APP = "{{database: {{schema: base, connection_limit: {limit}}}, services: [auth], api_keys: [{{name: default}}]}}"
PREVIEW = ("pulumi", "preview", "--non-interactive")
PLAN = ("tenantry", "plan")


@dataclass(frozen=True)
class Row:
    """One size of stack; seconds."""

    apps: int
    preview: float
    plan: float
    preview_cpu: float
    plan_cpu: float


def once(workspace: Workspace, command: tuple[str, ...], codes: set[int]) -> tuple[float, float]:
    """Run a command; return its wall time and its CPU time."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before, started = spent(), time.monotonic()
    done = subprocess.run(
        command, cwd=workspace.folder, env=workspace.environment, capture_output=True, check=False
    )
    took = time.monotonic() - started
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()}")
    return took, spent() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", default="1,10", help="sizes, separated by commas")
    parser.add_argument("--runs", type=int, default=6, help="runs of each command")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder) / "cloud") as cloud:
        for apps in [int(size) for size in arguments.apps.split(",")]:
            workspace = Workspace(Path(folder) / f"plan-{apps}", cloud.env())
            workspace.apply(registry(apps, APP.format(limit=20), f"plan{apps}"))
            workspace.registry.write_text(registry(apps, APP.format(limit=21), f"plan{apps}"))
            took = [
                (*once(workspace, PREVIEW, {0}), *once(workspace, PLAN, {2}))
                for _ in range(arguments.runs)
            ]
            wall, cpu, plan_wall, plan_cpu = (
                round(min(column), 2) for column in zip(*took, strict=True)
            )
            rows.append(Row(apps, wall, plan_wall, cpu, plan_cpu))
            workspace.must("destroy", "--yes", "--skip-preview")
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print("apps  preview s  plan s  preview CPU s  plan CPU s")
    for row in rows:
        print(
            f"{row.apps:4}  {row.preview:9.2f}  {row.plan:6.2f}  {row.preview_cpu:13.2f}  {row.plan_cpu:10.2f}"
        )


if __name__ == "__main__":
    main()
