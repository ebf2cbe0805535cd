"""The Go tests of the PostgreSQL plugin, on a server whose roles are made as Neon makes them."""

import subprocess
from urllib.parse import urlsplit

from tenantry.engine.building import TOOLCHAIN, go_environment
from tenantry.engine.cache import cache_root
from tenantry.engine.golang import find_go, minimum
from tests.localcloud_fixture import LocalCloud

SECONDS = 300


def test_the_plugin_on_a_server(cloud: LocalCloud) -> None:
    with cloud.client() as client:
        made = client.post(
            "/projects",
            json={"project": {"name": "plugin-of-a-test", "org_id": cloud.neon_org_id}},
        ).raise_for_status()
        url = urlsplit(made.json()["connection_uris"][0]["connection_uri"])
        # lib/pq does not know Neon's `channel_binding`, and sends it to the server, which refuses it.
        url = url._replace(netloc=f"{url.netloc}:5432", query="sslmode=require")
        go = find_go(minimum(TOOLCHAIN / "go.mod"), cache_root() / "engine", print)
        done = subprocess.run(
            [go, "test", "-trimpath", "-mod=readonly", "-count=1", "-v", "./internal/postgresql/"],
            cwd=TOOLCHAIN,
            env=go_environment() | {"TENANTRY_TEST_POSTGRES_URL": url.geturl()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        client.delete(f"/projects/{made.json()['project']['id']}").raise_for_status()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--- SKIP" not in done.stdout
