"""What runs outside the service tell at their end, and that no run fails for a receiver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.engine.fleet_folder import FleetFolder
from tests.service.test_notices import SECRET, Hook
from tests.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud_fixture import LocalCloud

REGISTRY = """\
version: 1
namespace: told
defaults: {{region: aws-us-east-2}}
notify: [{{url: "{url}", secret_from: HOOK}}]
tenants: {{acme: {{name: Acme, apps: {{{apps}}}}}}}
"""
APP = "{environment: development, deletion: delete}"


def declare(folder: FleetFolder, url: str, *apps: str) -> None:
    text = REGISTRY.format(url=url, apps=", ".join(f"{app}: {APP}" for app in apps))
    folder.registry.write_text(text)


@pytest.fixture
def hook() -> Iterator[tuple[Hook, str]]:
    made = Hook()
    with served(made) as url:
        yield made, url


def test_runs_tell_of_their_apps_and_do_not_fail_for_a_receiver(
    tmp_path: Path, cloud: LocalCloud, hook: tuple[Hook, str]
) -> None:
    receiver, url = hook
    folder = FleetFolder(tmp_path / "fleet", {**cloud.env(), "HOOK": SECRET})

    def told() -> list[tuple[str, str]]:
        bodies = [json.loads(body) for _, _, body in receiver.got]
        receiver.got.clear()
        return sorted((each["type"], each["data"]["app"]) for each in bodies)

    declare(folder, url, "web", "shop")
    made = folder.tenantry("fleet", "up", "--yes")
    assert made.returncode == 0, made.stderr
    assert told() == [("app.ready", "acme/shop"), ("app.ready", "acme/web")]
    assert folder.tenantry("fleet", "up", "--yes").returncode == 0
    assert told() == []
    receiver.answers["/"] = 404
    gone = folder.tenantry("fleet", "destroy", "--confirm", "told", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "notify[0]: not told that acme/web is deleted" in gone.stderr
    receiver.answers.clear()
    receiver.got.clear()

    declare(folder, url, "web")
    one = folder.tenantry("up", "--yes", "--create", stack="one")
    assert one.returncode == 0, one.stderr
    assert told() == [("app.ready", "acme/web")]
    destroyed = folder.tenantry("destroy", "acme/web", "--yes", stack="one")
    assert destroyed.returncode == 0, destroyed.stderr
    assert told() == [("app.deleted", "acme/web")]
    del folder.environment["HOOK"]
    again = folder.tenantry("up", "--yes", stack="one")
    assert again.returncode == 0, again.stderr
    assert "notify[0]: HOOK: is not set" in again.stderr
    assert SECRET not in "".join(each.stdout + each.stderr for each in (made, gone, one, again))
