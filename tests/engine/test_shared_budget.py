"""Two machines that ask Neon for as much as they may, by the plugin's own client, with Neon's limits on."""

import subprocess
from pathlib import Path

from tenantry.budgets.drawing import Drawing, draw
from tenantry.catalog.migrating import migrate
from tenantry.engine.building import TOOLCHAIN, go_environment
from tenantry.engine.cache import cache_root
from tenantry.engine.golang import find_go, minimum
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import local_cloud

LIMIT, BURST = 700, 40
"""Neon's own: requests in any minute, and in any second on one route."""
SECONDS = 63
"""Longer than the minute that Neon counts over."""


def test_two_machines_together_ask_as_much_as_one_may(tmp_path: Path) -> None:
    client = tmp_path / "client"
    go = find_go(minimum(TOOLCHAIN / "go.mod"), cache_root() / "engine", print)
    environment = go_environment()
    subprocess.run(
        [go, "test", "-trimpath", "-mod=readonly", "-c", "-o", client, "./internal/neonhttp/"],
        cwd=TOOLCHAIN,
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=True,
    )
    with (
        local_cloud(tmp_path / "cloud", "--neon-rate-limit", str(LIMIT)) as cloud,
        faults_of(cloud) as faults,
    ):
        migrate(cloud.catalog_url)
        drawings: list[Drawing] = []
        asking = []
        for name in ("here", "there"):
            machine = {**environment, **cloud.env(), "NEON_API_RPM": ""}
            machine |= {
                "TENANTRY_CACHE": str(tmp_path / name),
                "TENANTRY_TEST_SECONDS": str(SECONDS),
            }
            drawing = draw(machine, cloud.neon_org_id)
            assert drawing is not None
            drawings.append(drawing)
            asking.append(
                subprocess.Popen(
                    [client, "-test.run", "TestAsMuchAsAMachineMay", "-test.v"],
                    env=machine,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        said = [each.communicate(timeout=SECONDS + 60)[0] for each in asking]
        for each in drawings:
            each.stop()
        counted = faults.requests("neon")
    assert [each.returncode for each in asking] == [0, 0], said
    assert set(counted["statuses"]) == {"200"}, counted
    assert counted["highest"]["60s"] <= LIMIT
    assert counted["highest"]["1s"] <= BURST
    # Hardly anything of the 660 a minute is left unused.
    assert counted["total"] > 0.9 * 660 * SECONDS / 60, counted
