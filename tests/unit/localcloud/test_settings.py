from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from localcloud import settings

if TYPE_CHECKING:
    from pathlib import Path


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    assert settings.load(tmp_path) is None
    made = settings.fresh()
    made.port = 5000
    settings.save(tmp_path, made)
    assert settings.load(tmp_path) == made
    assert (tmp_path / settings.MARKER).stat().st_mode & 0o077 == 0


def test_two_folders_share_no_secret_and_no_seed() -> None:
    one, two = settings.fresh(), settings.fresh()
    for name in (
        "seed",
        "neon_api_key",
        "superuser_password",
        "user_id",
        "aura_client_id",
        "aura_client_secret",
        "aura_tenant_id",
    ):
        assert getattr(one, name) != getattr(two, name)


def test_a_folder_from_before_the_aura_api_gets_its_identities_once(tmp_path: Path) -> None:
    made = settings.fresh()
    settings.save(tmp_path, made)
    marker = tmp_path / settings.MARKER
    old = {
        name: value
        for name, value in json.loads(marker.read_text()).items()
        if not name.startswith("aura_")
    }
    marker.write_text(json.dumps(old))
    read = settings.load(tmp_path)
    assert read is not None
    assert (read.seed, read.aura_client_secret, read.aura_port) == (made.seed, "", 0)
    settings.complete(read)
    identities = (read.aura_client_id, read.aura_client_secret, read.aura_tenant_id)
    assert all(identities)
    settings.complete(read)
    assert (read.aura_client_id, read.aura_client_secret, read.aura_tenant_id) == identities


def test_choices_become_options_and_settings() -> None:
    choices = settings.Choices(plan="free", pace=0.0, aura_create_seconds=0.5)
    assert choices.arguments() == [
        "--plan",
        "free",
        "--pace",
        "0.0",
        "--aura-create-seconds",
        "0.5",
    ]
    made = settings.fresh()
    before = made.aura_token_seconds
    choices.apply(made)
    assert (made.plan, made.pace, made.aura_create_seconds) == ("free", 0.0, 0.5)
    assert made.aura_token_seconds == before
    assert settings.Choices().arguments() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "not a local cloud's marker"),
        ('{"kind": "other"}', "not a local cloud's marker"),
        (json.dumps({"kind": "localcloud data", "format": 2}), "newer than the 1"),
    ],
)
def test_a_marker_that_is_not_ours_is_refused_in_one_line(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / settings.MARKER).write_text(text)
    with pytest.raises(settings.DataFolderError) as caught:
        settings.load(tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_control_planes_database_has_a_url_once_it_has_an_address(tmp_path: Path) -> None:
    made = settings.fresh()
    assert made.catalog_url == ""
    made.catalog_host, made.catalog_password = "127.64.0.1", "secret"
    settings.save(tmp_path, made)
    kept = settings.load(tmp_path)
    assert kept is not None
    assert kept.catalog_url == (
        "postgresql://tenantry_catalog:secret@127.64.0.1:5432/tenantry?sslmode=require"
    )
