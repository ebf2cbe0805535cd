"""How an app stands on the page, from what row, states and catalog say."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenantry.pages.rows import Row, Sources, Standing, Status, joined, of_tenant
from tenantry.registry import load
from tenantry.selfservice.overview import AskedApp, FrozenApp, Overview, Place
from tests.service.api import REGISTRY

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PLACE = Place("aws-us-east-2", "ep-1.example", "p-1")


def rows(folder: Path, overview: Overview | None, *standings: Standing) -> dict[str, Row]:
    file = folder / "tenants.yaml"
    file.write_text(REGISTRY)
    sources = Sources(load(file), overview, {each.app: each for each in standings})
    return {row.app: row for row in joined(sources)}


def standing(app: str, word: Status) -> Standing:
    return Standing(app, app.replace("/", "--"), word, NOW, "update succeeded", "ann@host")


def asked(status: str, reason: str | None = None) -> AskedApp:
    return AskedApp("id", "acme", "web", "pro", None, status, "op", "create", reason, NOW)  # type: ignore[arg-type]  # the case's


def test_every_app_of_file_rows_and_states_is_there_once(tmp_path: Path) -> None:
    found = rows(
        tmp_path,
        Overview({"acme/web": asked("ready")}, {}, {}),
        standing("acme/web", "applied"),
        standing("acme/gone", "left"),
    )
    assert list(found) == ["acme/filed", "acme/gone", "acme/web"]
    assert found["acme/filed"].status == "unknown"
    assert found["acme/gone"].declared == "in no file"
    assert (found["acme/web"].environment, found["acme/web"].region) == (
        "production",
        "aws-us-east-2",
    )
    assert of_tenant(found.values(), "globex") == ()


@pytest.mark.parametrize(
    ("status", "word", "place", "shown"),
    [
        ("provisioning", "new", None, "provisioning"),
        ("failed", "applied", PLACE, "failed"),
        ("ready", "changed", PLACE, "changed"),
        ("ready", None, PLACE, "applied"),
        (None, "new", None, "new"),
        (None, "new", PLACE, "elsewhere"),
        (None, "interrupted", PLACE, "interrupted"),
        (None, None, PLACE, "unknown"),
    ],
)
def test_a_row_goes_before_a_state_until_it_is_ready(
    tmp_path: Path, status: str | None, word: Status | None, place: Place | None, shown: Status
) -> None:
    app = "acme/web" if status else "acme/filed"
    overview = Overview({app: asked(status)} if status else {}, {}, {app: place} if place else {})
    states = [standing(app, word)] if word else []
    assert rows(tmp_path, overview, *states)[app].status == shown


def test_a_freeze_is_said_whole(tmp_path: Path) -> None:
    freeze = FrozenApp("an audit", "olga", NOW)
    found = rows(tmp_path, Overview({}, {"acme/filed": freeze}, {}))
    assert found["acme/filed"].frozen == "frozen until 2026-11-29 12:00 UTC by olga: an audit"
    assert rows(tmp_path, None)["acme/filed"].frozen == ""
