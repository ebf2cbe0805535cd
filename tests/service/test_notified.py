"""What somebody is told by workers, with the real queue, engine and clouds' lists."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tenantry.neon.client import NeonApi
from tenantry.selfservice.undelivered import undelivered
from tests.service.folder import ServiceFolder, end
from tests.service.test_notices import SECRET, Hook
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud


@pytest.fixture
def hook() -> Iterator[tuple[Hook, str]]:
    made = Hook()
    with served(made) as url:
        yield made, url


@pytest.fixture
def folder(
    tmp_path: Path, cloud: LocalCloud, database: Catalog, hook: tuple[Hook, str]
) -> ServiceFolder:
    made = ServiceFolder.make(tmp_path / "service", cloud, database)
    file = made.project.registry
    file.write_text(f'{file.read_text()}notify: [{{url: "{hook[1]}", secret_from: HOOK}}]\n')
    made.project.environment["HOOK"] = SECRET
    return made


def wait(what: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_what_becomes_of_an_app_is_told_with_its_result(
    folder: ServiceFolder, hook: tuple[Hook, str]
) -> None:
    receiver = hook[0]

    def told() -> list[tuple[str, str, str | None]]:
        bodies = [json.loads(body) for _, _, body in receiver.got]
        return [
            (each["type"], each["data"]["app"], each["data"]["operation"])
            for each in sorted(bodies, key=lambda each: str(each["timestamp"]))
        ]

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = folder.worker("one", "--look", "3s", "--metrics", str(port))
    try:
        web, kept = folder.ask("web"), folder.ask("kept", plan="kept")
        for app in (web, kept):
            assert folder.wait(app, "ready", "failed").status == "ready", folder.log("one")
        wait(lambda: len(told()) == 2)
        assert {each[:2] for each in told()} == {
            ("app.ready", "acme/web"),
            ("app.ready", "acme/kept"),
        }
        refused = folder.ask_again(kept, "delete")
        folder.wait(kept, "failed")
        wait(lambda: len(told()) == 3)
        assert told()[2] == ("app.failed", "acme/kept", str(refused))

        environment = folder.project.environment
        ((project,),) = folder.catalog.ask(
            "SELECT neon_project_id FROM tenantry.app_metadata WHERE app_id = 'acme/web'"
        )
        with NeonApi(api_key=environment["NEON_API_KEY"], url=environment["NEON_API_URL"]) as neon:
            neon.ask("PATCH", f"/projects/{project}", body={"project": {"name": "elsewhere"}})
            wait(lambda: len(told()) == 4)
            assert told()[3] == ("app.drift", "acme/web", None)
            # The next looks find the same, and nobody is told of it again.
            looks = "SELECT count(*) FROM tenantry.drift_looks"
            before = folder.catalog.ask(looks)[0][0]
            wait(lambda: folder.catalog.ask(looks)[0][0] >= before + 2)
            assert len(told()) == 4
        gone = folder.ask_again(web, "delete")
        folder.wait(web, "deleted")
        wait(lambda: len(told()) == 5)
        assert told()[4] == ("app.deleted", "acme/web", str(gone))
        page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'tenantry_step_duration_seconds_count{step="project"}' in page
        assert 'tenantry_cloud_requests_total{cloud="neon",code="200",method="GET"' in page
        assert "acme" not in page
    finally:
        assert end(worker) == 0
    assert undelivered(folder.catalog.url, folder.namespace) == []
    assert SECRET not in folder.log("one")
