"""A state that version 0.1 wrote converges with nothing to change: names, types, paths and outputs are a contract.

The clouds that it was written for are gone, so whatever asked one of them would fail.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenantry.catalog.revision import newest
from tenantry.engine.home import link_plugins
from tests.engine.workspace import REPOSITORY

KEPT = Path(__file__).parent / "kept"
SECONDS = 120


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state, in a backend of its own."""
    file = tmp_path / "state" / ".pulumi" / "stacks" / "tenantry" / "kept.json"
    file.parent.mkdir(parents=True)
    (tmp_path / "state" / ".pulumi" / "meta.yaml").write_text("version: 1\n")
    kept = gzip.decompress((KEPT / "0.1.json.gz").read_bytes())
    # The catalog's tables grow with a version, and the first run of it brings them there. Here that was done.
    assert kept.count(b"catalog_0001") > 0
    file.write_bytes(kept.replace(b"catalog_0001", newest().encode()))
    return file


def tenantry(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    nowhere = "http://127.0.0.1:9"
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_BACKEND_URL": f"{(folder / 'state').as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "of a kept state",
        "PULUMI_STACK": "kept",
        "NEON_API_URL": f"{nowhere}/api/v2",
        "NEON_API_KEY": "of-nobody",
        "NEON_ORG_ID": "org-local-cloud-57358209",
        # A row knows host, port and name of its catalog, and compares them.
        "TENANTRY_CATALOG_URL": "postgresql://nobody:nothing@127.125.193.139:5432/tenantry",
        "AURA_BASE_URL": nowhere,
        "AURA_TOKEN_URL": f"{nowhere}/oauth/token",
        "AURA_CLIENT_ID": "of-nobody",
        "AURA_CLIENT_SECRET": "of-nobody",
        "AURA_TENANT_ID": "3acbcc1e-0daa-4d19-b669-43aa707b403e",
    }
    return subprocess.run(
        [sys.executable, "-m", "tenantry", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def held(state: Path) -> dict[str, Any]:
    latest = json.loads(state.read_text())["checkpoint"]["latest"]
    return {
        each["urn"]: (each.get("id"), each.get("protect"), sorted(each.get("outputs") or {}))
        for each in latest["resources"]
    }


def test_there_is_nothing_to_change(tmp_path: Path, state: Path) -> None:
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copy(KEPT / "tenants.yaml", tmp_path)
    link_plugins(Path(sys.executable).parent, tmp_path / "home")
    before = held(state)
    assert len(before) == 65

    planned = tenantry(tmp_path, "plan", "--json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    made = json.loads(planned.stdout)
    assert (made["rows"], made["refusals"], made["summary"]["unchanged"]) == ([], [], 2)

    done = tenantry(tmp_path, "up", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Done: nothing to change" in done.stdout
    assert held(state) == before
