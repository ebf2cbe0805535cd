from pathlib import Path

import pytest

from tenantry.aura.errors import AuraSettingsError
from tenantry.aura.settings import Polling, read_settings

COMPLETE = {"AURA_CLIENT_ID": "id", "AURA_CLIENT_SECRET": "s3cret", "AURA_TENANT_ID": "tenant"}


def test_a_relative_folder_begins_where_it_is_said(tmp_path: Path) -> None:
    found = read_settings(None, COMPLETE, tmp_path)
    assert found.state_folder == tmp_path / ".tenantry" / "aura"
    elsewhere = read_settings(None, {**COMPLETE, "AURA_STATE_FOLDER": "/else/where"}, tmp_path)
    assert elsewhere.state_folder == Path("/else/where")


def test_the_environment_is_enough() -> None:
    found = read_settings(None, COMPLETE)
    assert (found.client_id, found.client_secret, found.tenant_id) == ("id", "s3cret", "tenant")
    assert found.base_url == "https://api.neo4j.io/v1"
    assert found.token_url == "https://api.neo4j.io/oauth/token"
    assert found.requests_per_minute == 25
    assert found.polling == Polling(first=10, most=10, deadline=900)


def test_the_stack_comes_before_the_environment() -> None:
    config = {"auraClientId": "of the stack", "auraPollSeconds": "5-300", "auraReadySeconds": 60}
    found = read_settings(config.get, COMPLETE)
    assert found.client_id == "of the stack"
    assert found.client_secret == "s3cret"
    assert found.polling == Polling(first=5, most=300, deadline=60)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(
        AuraSettingsError, match=r"^Aura: AURA_CLIENT_SECRET and AURA_TENANT_ID not set: set "
    ):
        read_settings(None, {"AURA_CLIENT_ID": "id"})


def test_a_token_stands_in_for_id_and_secret() -> None:
    found = read_settings(None, {"AURA_API_TOKEN": "t0ken", "AURA_TENANT_ID": "tenant"})
    assert (found.api_token, found.client_id) == ("t0ken", "")
    with pytest.raises(AuraSettingsError, match="AURA_TENANT_ID not set"):
        read_settings(None, {"AURA_API_TOKEN": "t0ken"})


def test_the_token_url_follows_the_base_url() -> None:
    found = read_settings(None, {**COMPLETE, "AURA_BASE_URL": "http://127.0.0.9:8000/v1/"})
    assert found.base_url == "http://127.0.0.9:8000/v1"
    assert found.token_url == "http://127.0.0.9:8000/oauth/token"


@pytest.mark.parametrize(
    "url",
    ["http://api.example/v1", "api.neo4j.io/v1", "https://u:p@api.example", "ftp://a", "https://"],
)
def test_a_url_that_would_give_secrets_away_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(AuraSettingsError, match="AURA_BASE_URL must be an https URL") as caught:
        read_settings(None, {**COMPLETE, "AURA_BASE_URL": url})
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AURA_POLL_SECONDS", "often"),
        ("AURA_POLL_SECONDS", "10-5"),
        ("AURA_POLL_SECONDS", "nan"),
        ("AURA_READY_SECONDS", "0"),
        ("AURA_REQUESTS_PER_MINUTE", "0"),
        ("AURA_REQUESTS_PER_MINUTE", "inf"),
    ],
)
def test_a_number_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(AuraSettingsError, match=f"{name} must be a number of"):
        read_settings(None, {**COMPLETE, name: value})


def test_neither_a_repr_nor_a_files_name_has_a_secret() -> None:
    found = read_settings(None, COMPLETE)
    assert "s3cret" not in repr(found)
    other = read_settings(None, {**COMPLETE, "AURA_CLIENT_SECRET": "another"})
    assert found.file("token") == other.file("token")
    assert found.file("token") != read_settings(None, {**COMPLETE, "AURA_CLIENT_ID": "b"}).file(
        "token"
    )
    assert found.file("token").parent == Path.cwd() / ".tenantry" / "aura"
