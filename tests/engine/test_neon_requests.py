"""How often a fleet's create asks Neon, with operations as long as Neon's and Neon's limits on."""

from pathlib import Path

from tests.engine.fleet_folder import FleetFolder
from tests.localcloud_faults import faults_of
from tests.localcloud_fixture import local_cloud

APPS = 6
MOST_AN_APP = 7
DEFAULTS = {"NEON_API_RPM": "", "NEON_POLL_SECONDS": "", "TENANTRY_CATALOG_URL": ""}
"""What the other tests set to be quick, and rows in a catalog."""


def test_a_create_asks_neon_seven_times_an_app_at_most(tmp_path: Path) -> None:
    with (
        local_cloud(tmp_path / "cloud", "--neon-rate-limit", "700", pace=1) as cloud,
        faults_of(cloud) as faults,
    ):
        folder = FleetFolder(tmp_path / "fleet", cloud.env() | DEFAULTS)
        apps = "".join(f"      app{number}: {{}}\n" for number in range(APPS))
        folder.registry.write_text(
            "version: 1\nnamespace: counted\n"
            "defaults: {region: aws-us-east-2, environment: development, deletion: delete}\n"
            f"tenants:\n  acme:\n    name: Acme Inc.\n    apps:\n{apps}"
        )
        # Two at once: what the first ones take is known when the others wait.
        done = folder.command("up", "--yes", "--parallel", "2")
        assert done.returncode == 0, done.stdout + done.stderr
        counted = faults.requests("neon")
        assert counted["statuses"]["201"] == APPS
        assert set(counted["statuses"]) == {"200", "201"}
        assert counted["total"] <= MOST_AN_APP * APPS, counted
        looks = faults.asked("neon", "GET /projects/{project_id}/operations")
        # Nothing else: a look-up of the name, the create, and looks at what it began.
        assert counted["total"] == 2 * APPS + looks
