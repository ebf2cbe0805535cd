"""Workers as processes, with the real queue, engine, and states in PostgreSQL."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.service.folder import ServiceFolder, end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud


@pytest.fixture
def folder(tmp_path: Path, cloud: LocalCloud, database: Catalog) -> ServiceFolder:
    return ServiceFolder.make(tmp_path / "service", cloud, database)


@pytest.fixture
def worker(folder: ServiceFolder) -> Iterator[subprocess.Popen[bytes]]:
    started = folder.worker("one")
    yield started
    if started.poll() is None:
        started.kill()
        started.wait()


def test_an_app_is_made_changed_and_deleted_by_a_worker_that_ends_in_order(
    folder: ServiceFolder, worker: subprocess.Popen[bytes]
) -> None:
    app = folder.ask("web")
    made = folder.wait(app, "ready", "failed")
    assert made.status == "ready", (made.error_text, folder.log("one"))
    assert folder.catalog.ask(
        "SELECT count(*) FROM tenantry.app_metadata WHERE namespace = %s", folder.namespace
    ) == [(1,)]
    folder.ask_again(app, "delete")
    assert folder.wait(app, "deleted", "failed").status == "deleted", folder.log("one")
    assert end(worker) == 0
    history = folder.catalog.ask(
        "SELECT action, outcome FROM tenantry.audit WHERE actor = 'tests|ann' ORDER BY id"
    )
    assert history == [("operations.create", "done"), ("operations.delete", "done")]


@pytest.mark.usefixtures("worker")
def test_an_app_that_the_file_declares_as_well_is_not_touched(folder: ServiceFolder) -> None:
    """While it is handed over it is in both, and a deletion that comes in between would take the file's app."""
    app = folder.ask("web")
    assert folder.wait(app, "ready", "failed").status == "ready", folder.log("one")
    file = folder.project.registry
    text = file.read_text()
    block = "apps: {web: {environment: development, region: aws-us-east-2, deletion: delete}}"
    file.write_text(text.replace("name: Acme Inc., apps: {}", f"name: Acme Inc., {block}"))
    folder.ask_again(app, "delete")
    refused = folder.wait(app, "deleted", "failed")
    assert refused.status == "failed"
    assert refused.error_text
    assert "acme/web is in the catalog as well" in refused.error_text
    projects = folder.catalog.ask(
        "SELECT count(*) FROM tenantry.app_metadata WHERE namespace = %s AND deleted_at IS NULL",
        folder.namespace,
    )
    assert projects == [(1,)]
    file.write_text(text)
    folder.ask_again(app, "delete")
    assert folder.wait(app, "deleted").status == "deleted"
