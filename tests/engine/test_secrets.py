"""No password, key or URL in clear: not in the state, the stack's file, what is printed, or a command line."""

import json
import stat
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.engine.workspace import Workspace
from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: secrets
tenants:
  acme:
    name: Acme Inc.
    apps:
      web:
        environment: production
        region: aws-us-east-2
        database:
          credentials: {generation: 2}
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB}
        deletion: delete
"""


def command_lines(stop: threading.Event, seen: set[bytes]) -> None:
    while not stop.is_set():
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen.add((process / "cmdline").read_bytes())
            except OSError:
                continue
        time.sleep(0.02)


def test_no_secret_is_written_or_shown(workspace: Workspace, cloud: LocalCloud) -> None:
    stop, seen = threading.Event(), set[bytes]()
    watcher = threading.Thread(target=command_lines, args=(stop, seen))
    watcher.start()
    try:
        workspace.registry.write_text(REGISTRY)
        shown = [
            workspace.must("preview", "--diff"),
            workspace.must("up", "--yes", "--diff", "-v=3", "--logtostderr"),
            workspace.must("refresh", "--yes", "--diff"),
            workspace.must("up", "--yes", "--json"),
        ]
    finally:
        stop.set()
        watcher.join()

    outputs = workspace.outputs()
    project = outputs["apps"]["acme/web"]["project"]
    with cloud.client() as client:
        branches = client.get(f"/projects/{project}/branches").json()["branches"]
        owner = client.get(
            f"/projects/{project}/branches/{branches[0]['id']}/roles/tenant_acme__web__owner/reveal_password"
        ).json()["password"]
    passwords = {urlsplit(url).password for url in outputs["urls"]["acme/web"].values()}
    # The one file that a secret is meant to be in, for its owner only.
    (token_file,) = (workspace.folder / ".tenantry" / "aura").glob("*.token")
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    secrets = {
        owner,
        cloud.neon_api_key,
        *passwords,
        cloud.aura_client_secret,
        outputs["graphs"]["acme/web"]["password"],
        json.loads(token_file.read_text())["access_token"],
    }
    assert len(secrets) == 6
    assert all(secret and len(secret) > 10 for secret in secrets)

    texts = {f"output of run {n}": run.said for n, run in enumerate(shown)}
    for root in (workspace.folder, cloud.data / "localcloud.log"):
        for file in [root, *root.rglob("*")] if root.is_dir() else [root]:
            if file.is_file() and not file.is_symlink() and file != token_file:
                texts[str(file)] = file.read_bytes().decode("utf-8", "replace")
    texts["command lines"] = b"\n".join(seen).decode("utf-8", "replace")
    found = [place for place, text in texts.items() if any(secret in text for secret in secrets)]
    assert found == []
    assert any("pulumi" in text for text in [texts["command lines"]])


def test_the_state_keeps_every_password_encrypted(workspace: Workspace) -> None:
    workspace.apply(REGISTRY.replace("secrets", "encrypted"))
    marked = subprocess.run(
        ["grep", "-rc", "4dabf18193072939515e22adb298388d", str(workspace.state)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert any(int(line.rsplit(":", 1)[1]) > 0 for line in marked.stdout.splitlines())
