"""A user of whom no message told gets a graph by a worker's sweep, and loses it when told to be gone."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from tenantry.fleet import Selection
from tenantry.selfservice import signups
from tenantry.selfservice.database import transaction
from tenantry.selfservice.freezes import freeze, thaw
from tenantry.selfservice.signups import SignUp, Standing
from tests.service.folder import ServiceFolder, end

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud

SECONDS = 90
APPS = """apps: {web: {environment: development, region: aws-us-east-2, deletion: delete,
    graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB, users: []}}}"""


def reached(look: Callable[[], object], wanted: object) -> bool:
    until = time.monotonic() + SECONDS
    while look() != wanted and time.monotonic() < until:
        time.sleep(0.5)
    return look() == wanted


def test_a_missed_user_gets_a_graph_and_a_deleted_one_loses_it(
    tmp_path: Path, cloud: LocalCloud, catalog: Catalog
) -> None:
    folder = ServiceFolder.make(tmp_path / "service", cloud, catalog)
    registry = folder.project.registry
    text = registry.read_text().replace("name: Acme Inc., apps: {}", f"name: Acme Inc., {APPS}")
    registry.write_text(
        text.replace("self_service:\n", "self_service:\n  sign_ups: {app: acme/web}\n")
    )
    assert not folder.project.fleet().up().failed
    user = str(uuid4())

    def instances() -> int:
        with cloud.aura() as client:
            listed = client.get("/instances").raise_for_status().json()["data"]
        return sum(each["name"].startswith(folder.namespace) for each in listed)

    def standing() -> Standing | None:
        async def ask() -> Standing | None:
            async with folder.open() as (connections, _), transaction(connections) as one:
                return await signups.standing(one, folder.namespace, "acme/web", user)

        return asyncio.run(ask())

    async def gone() -> None:
        async with folder.open() as (connections, queue), transaction(connections) as one:
            about = SignUp(
                namespace=folder.namespace, app_id="acme/web", user=user, source="webhook"
            )
            assert (await signups.delete(one, queue, about)).added

    with catalog.database() as users:
        users.ask("CREATE SCHEMA auth")
        users.ask(
            "CREATE TABLE auth.users (id uuid PRIMARY KEY, created_at timestamptz, deleted_at timestamptz)"
        )
        users.ask(f"INSERT INTO auth.users VALUES ('{user}', now() - interval '2 hours')")
        freeze(catalog.url, folder.namespace, "acme/web", reason="a look", actor="ann", until=None)
        worker = folder.worker("one", environment={"TENANTRY_USERS_URL": users.url})
        try:
            # It waits as long as its app is frozen, and that is no attempt.
            assert reached(standing, Standing(status="pending", reason="busy")), folder.log("one")
            assert catalog.ask("SELECT attempts FROM tenantry.operations") == [(0,)]
            assert instances() == 0
            thaw(catalog.url, folder.namespace, "acme/web", actor="ann")
            catalog.ask("UPDATE tenantry.operations SET next_attempt_at = now()")
            assert reached(standing, Standing(status="ready", reason=None)), folder.log("one")
            assert instances() == 1
            assert "sign-ups of which no message told: 1" in folder.log("one")
            asyncio.run(gone())
            assert reached(instances, 0), folder.log("one")
            assert standing() is None
            assert end(worker) == 0
        finally:
            worker.kill()
            worker.wait()
    assert not any(
        "--" in each.partition("--")[2] for each in folder.project.fleet().project.store.stacks()
    )
    folder.project.fleet().destroy(Selection(only=frozenset({"acme/web"})))
