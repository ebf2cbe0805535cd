"""What schemas, services, API keys and the catalog add to a no-op, on the local cloud.

    python -m bench.data_layer [--apps 1,5,20] [--runs 7] [--json]

Two stacks of the same size in the same run: one of bare apps without a catalog, one whose apps each have a template's
schema, three services, an API key and their rows in the catalog. Each figure is the shortest of several no-op
`pulumi up`, taken in turns. `ratio` is that of the whole runs; `per app` is that of what one more app adds, from the
smallest size to this one: it leaves out what is paid once a run, the start of the dynamic providers' process.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import local_cloud

BARE = "{}"
FULL = (
    "{database: {schema: base}, services: [auth, realtime, storage], api_keys: [{name: default}]}"
)


@dataclass(frozen=True)
class Row:
    """One size of stack; seconds."""

    apps: int
    bare: float
    full: float
    ratio: float
    per_app: float | None
    """None for the smallest size."""


def registry(apps: int, app: str, namespace: str) -> str:
    """Write a registry of one tenant with that many apps, all alike."""
    lines = [
        "version: 1",
        f"namespace: {namespace}",
        "defaults: {environment: development, region: aws-us-east-2, deletion: delete}",
        "tenants:",
        "  acme:",
        "    name: Acme",
        "    apps:",
        *(f"      app{n}: {app}" for n in range(apps)),
    ]
    return "\n".join(lines) + "\n"


def no_op(workspace: Workspace) -> float:
    """Time one `pulumi up` that changes nothing."""
    started = time.monotonic()
    workspace.must("up", "--yes", "--skip-preview")
    return time.monotonic() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", default="1,5,20", help="sizes, separated by commas")
    parser.add_argument("--runs", type=int, default=7, help="no-ops of each stack")
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, local_cloud(Path(folder) / "cloud") as cloud:
        for apps in [int(size) for size in arguments.apps.split(",")]:
            bare = Workspace(
                Path(folder) / f"bare-{apps}", cloud.env() | {"TENANTRY_CATALOG_URL": ""}
            )
            full = Workspace(Path(folder) / f"full-{apps}", cloud.env())
            bare.apply(registry(apps, BARE, f"bare{apps}"))
            full.apply(registry(apps, FULL, f"full{apps}"))
            took = [(no_op(bare), no_op(full)) for _ in range(arguments.runs)]
            least = [min(column) for column in zip(*took, strict=True)]
            first = rows[0] if rows else None
            rows.append(
                Row(
                    apps,
                    round(least[0], 2),
                    round(least[1], 2),
                    round(least[1] / least[0], 2),
                    round((least[1] - first.full) / (least[0] - first.bare), 2) if first else None,
                )
            )
            for workspace in (bare, full):
                workspace.must("destroy", "--yes", "--skip-preview")
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print("apps  bare s  full s  ratio  per app")
    for row in rows:
        per_app = "" if row.per_app is None else f"{row.per_app:.2f}"
        print(f"{row.apps:4}  {row.bare:6.2f}  {row.full:6.2f}  {row.ratio:5.2f}  {per_app:>7}")


if __name__ == "__main__":
    main()
