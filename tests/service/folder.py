"""A project's folder with self-service, its states and its catalog in PostgreSQL, and workers as processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from tenantry.catalog.migrating import migrate
from tenantry.selfservice import database, operations, queue_tables, specs
from tenantry.selfservice.jobs import wake
from tenantry.selfservice.queue import Queue
from tenantry.states.layout import LOCKS
from tenantry.states.locks import Lock, lock_content, locks_in
from tenantry.states.tree import Tree, open_tree
from tests.engine.fleet_folder import FleetFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tenantry.selfservice.database import Pool
    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud
    from tests.service.machines import Machine

REGISTRY = """\
version: 1
namespace: {namespace}
self_service:
  plans:
    starter: {{environment: development, region: aws-us-east-2}}
    keyed: {{environment: development, region: aws-us-east-2, api_keys: [{{name: default}}]}}
    kept: {{environment: development, region: aws-us-east-2, deletion: protect}}
  tenants:
    acme: {{plans: [starter, keyed, kept], max_apps: 200}}
    globex: {{plans: [starter]}}
tenants:
  acme: {{name: Acme Inc., apps: {{}}}}
  globex: {{name: Globex, apps: {{}}}}
"""


@dataclass
class ServiceFolder:
    """A folder whose apps are asked for."""

    project: FleetFolder
    catalog: Catalog
    namespace: str

    @classmethod
    def make(cls, folder: Path, cloud: LocalCloud, catalog: Catalog) -> ServiceFolder:
        namespace = f"n{os.urandom(3).hex()}"
        # The engine's driver knows no channel binding.
        states = catalog.url.partition("?")[0].replace("postgresql", "postgres", 1)
        environment = {**cloud.env(), "TENANTRY_CATALOG_URL": catalog.url}
        project = FleetFolder(folder, environment, backend=f"{states}?sslmode=require")
        project.registry.write_text(REGISTRY.format(namespace=namespace))
        migrate(catalog.url)
        queue_tables.migrate(catalog.url)
        return cls(project, catalog, namespace)

    def worker(
        self,
        name: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        machine: Machine | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a worker; what it prints goes into a file of its name.

        :param machine: where it runs; by default here
        """
        elsewhere = machine.command if machine else []
        with (self.project.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*elsewhere, sys.executable, "-m", "tenantry", "work", *options],
                cwd=self.project.folder,
                env={**self.project.environment, "TENANTRY_WORKER": name, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.project.folder / f"{name}.log").read_text()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Pool, Queue]]:
        connections = database.pool(self.catalog.url)
        await connections.open()
        try:
            async with Queue(self.catalog.url) as queue:
                yield connections, queue
        finally:
            await connections.close()

    def ask(
        self, name: str, *, tenant: str = "acme", plan: str = "starter", **overrides: Any
    ) -> UUID:
        """Ask for an app, and return its row's id."""

        async def asking() -> UUID:
            async with (
                self.open() as (connections, queue),
                database.transaction(connections) as connection,
            ):
                spec = await specs.insert(
                    connection,
                    namespace=self.namespace,
                    tenant=tenant,
                    name=name,
                    plan=plan,
                    overrides=overrides,
                    owner="tests|ann",
                )
                assert spec is not None
                await self._wanted(connection, queue, spec, "create")
                return spec.id

        return asyncio.run(asking())

    def ask_again(self, spec: UUID, kind: operations.Kind, **more: Any) -> UUID:
        """Ask for another operation on an app, and return its id."""

        async def asking() -> UUID:
            async with (
                self.open() as (connections, queue),
                database.transaction(connections) as connection,
            ):
                found = await specs.get(connection, spec)
                assert found is not None
                if kind == "delete":
                    await specs.request_deletion(connection, spec)
                return await self._wanted(connection, queue, found, kind, **more)

        return asyncio.run(asking())

    async def _wanted(
        self, connection: Any, queue: Queue, spec: specs.Spec, kind: operations.Kind, **more: Any
    ) -> UUID:
        asked = await operations.ask(
            connection,
            operations.Wanted(
                namespace=self.namespace,
                app_id=spec.app_id,
                kind=kind,
                actor="tests|ann",
                spec=spec.id,
                generation=spec.generation,
                **more,
            ),
        )
        await wake(queue, connection, asked.id, key=asked.key, priority=asked.priority)
        return asked.id

    def cancel(self, spec: UUID) -> None:
        """Ask for the end of what an app's operation does."""

        async def asking() -> None:
            async with (
                self.open() as (connections, _),
                database.transaction(connections) as connection,
            ):
                found = await specs.get(connection, spec)
                assert found is not None
                assert found.operation is not None
                await operations.cancel(connection, found.operation)

        asyncio.run(asking())

    @property
    def tree(self) -> Tree:
        opened = open_tree(self.project.environment["PULUMI_BACKEND_URL"], "tenantry")
        assert opened is not None
        return opened

    def locks(self) -> list[Lock]:
        """The engine's locks, of all stacks."""
        return locks_in(self.tree, f"{LOCKS}/tenantry/")

    def write_lock(self, stack: str, *, host: str, pid: int) -> str:
        """Write a lock as the engine of some other run would, and return its key."""
        content = json.loads(lock_content(host)) | {"pid": pid}
        key = f"{LOCKS}/tenantry/{stack}/{uuid4()}.json"
        self.tree.write(key, json.dumps(content).encode())
        return key

    def delete_lock(self, key: str) -> None:
        self.tree.delete(key)

    def standing(self, spec: UUID) -> specs.Listed:
        async def reading() -> specs.Listed:
            async with (
                self.open() as (connections, _),
                database.connection(connections) as connection,
            ):
                found = await specs.get(connection, spec)
                assert found is not None
                return found

        return asyncio.run(reading())

    def wait(self, spec: UUID, *statuses: specs.Status, seconds: float = 60) -> specs.Listed:
        """Wait until an app stands so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.standing(spec)
            if found.status in statuses:
                return found
            time.sleep(0.2)
        raise AssertionError(f"{found.app_id} is {found.status}: {found.error_text}")


def end(worker: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> int:
    """End a worker and return its exit code."""
    worker.send_signal(how)
    return worker.wait(90)
