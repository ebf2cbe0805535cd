"""How long a plugin takes from its start to its first answer.

Starts each plugin anew, and measures the time to the line with its port and to the answer of its first call
(GetPluginInfo), then that of the next two (GetSchema, CheckConfig). Needs the engine in place.

    python -m bench.plugin_start [--runs 5] [--json]
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc  # type: ignore[import-untyped]  # has no stubs, and none are worth a dependency
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

PLUGINS: Final = (
    "pulumi-resource-random",
    "pulumi-resource-postgresql",
    "pulumi-resource-terraform-provider",
)
MOMENTS: Final = ("port", "first answer", "schema", "config checked")
TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds over all runs."""

    minimum: float
    median: float
    maximum: float


def start(plugin: Path) -> list[float]:
    """Start a plugin once and return the seconds until each moment."""
    began = time.perf_counter()
    with subprocess.Popen(
        [plugin], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            if process.stdout is None:
                raise RuntimeError(f"{plugin}: no output")
            port = int(process.stdout.readline())
            moments = [time.perf_counter() - began]
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                provider = provider_pb2_grpc.ResourceProviderStub(channel)
                for call, request in (
                    (provider.GetPluginInfo, empty_pb2.Empty()),
                    (provider.GetSchema, provider_pb2.GetSchemaRequest()),
                    (provider.CheckConfig, provider_pb2.CheckRequest(urn=urn(plugin))),
                ):
                    call(request, timeout=TIMEOUT)
                    moments.append(time.perf_counter() - began)
            return moments
        finally:
            process.kill()


def urn(plugin: Path) -> str:
    """Return a URN that a provider of this plugin could have."""
    package = plugin.name.removeprefix("pulumi-resource-")
    return f"urn:pulumi:bench::bench::pulumi:providers:{package}::default"


def main() -> int:
    """Measure every plugin and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="starts of each plugin (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    options = parser.parse_args()
    results: dict[str, dict[str, Spread]] = {}
    for name in PLUGINS:
        beside = Path(sys.executable).with_name(name)
        found = str(beside) if beside.exists() else shutil.which(name)
        if found is None:
            sys.exit(f"{name}: not found: make engine")
        runs = [start(Path(found)) for _ in range(options.runs)]
        results[name] = {
            moment: Spread(min(times), statistics.median(times), max(times))
            for moment, times in zip(MOMENTS, zip(*runs, strict=True), strict=True)
        }
    if options.json:
        print(
            json.dumps(
                {
                    name: {
                        moment: {"min": s.minimum, "median": s.median, "max": s.maximum}
                        for moment, s in moments.items()
                    }
                    for name, moments in results.items()
                },
                indent=1,
            )
        )
        return 0
    print(f"{'ms: min / median / max':36}" + "".join(f"{moment:>20}" for moment in MOMENTS))
    for name, moments in results.items():
        cells = (
            f"{s.minimum * 1000:.0f} / {s.median * 1000:.0f} / {s.maximum * 1000:.0f}"
            for s in moments.values()
        )
        print(f"{name:36}" + "".join(f"{cell:>20}" for cell in cells))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
