"""Where a migration runs: what is not ours shares no process with what else a command does."""

from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import Config

from providers.provider import ServedRequest, Surroundings
from providers.schema import MigrationProvider
from tenantry.schemas.migrating import Schema

PROPS: dict[str, Any] = {
    "app": "acme/web",
    "host": "h",
    "port": 5432.0,
    "database": "d",
    "owner": "o",
    "password": "p",
    "schema": "app",
    "group": "g",
    "template": None,
    "path": None,
    "revisions": ["one"],
    "allowDowngrade": False,
}


@pytest.mark.parametrize(
    ("template", "path", "apart"),
    [
        ("base", None, False),
        ("of-a-package", None, True),
        ("of-the-registry", "./schemas/shop", True),
        (None, "./history", True),
    ],
)
def test_only_a_template_of_ours_runs_in_the_commands_own_process(
    monkeypatch: pytest.MonkeyPatch, template: str | None, path: str | None, apart: bool
) -> None:
    ran: list[str] = []

    def run(where: str) -> Any:  # stands in for either of two
        def migrate(*_: object, **__: object) -> Schema:
            ran.append(where)
            return Schema(("one",), {}, "alembic_version")

        return migrate

    monkeypatch.setattr("tenantry.schemas.migrating.migrate", run("here"))
    monkeypatch.setattr("tenantry.schemas.apart.migrate_apart", run("apart"))
    provider = MigrationProvider()
    provider.configure(ServedRequest(Config({}, "tenantry"), Surroundings({}, Path("/project"))))
    provider.create(PROPS | {"template": template, "path": path})
    assert ran == ["apart" if apart else "here"]
