"""What a connection says itself, so that nothing is left to a variable."""

import os

import psycopg
import pytest
from psycopg.pq import Conninfo

from tenantry.provisioning.connections import connect

SAID_BY_EACH = {"host", "dbname", "user", "password", "service"}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    given: dict[str, object] = {}

    def take(conninfo: str, **parameters: object) -> None:
        assert conninfo == ""
        given.update(parameters, PGSERVICE=os.environ.get("PGSERVICE"))

    monkeypatch.setattr(psycopg, "connect", take)
    return given


def test_nothing_that_libpq_takes_from_a_variable_is_left_open(said: dict[str, object]) -> None:
    connect("postgresql://ann:of-a-test@db.example/app?sslmode=require", autocommit=True)
    open_ = {each.keyword.decode() for each in Conninfo.get_defaults() if each.envvar}
    assert open_ - set(said) <= SAID_BY_EACH
    assert (said["host"], said["sslmode"], said["autocommit"]) == ("db.example", "require", True)


def test_what_is_given_goes_before_what_the_url_says(said: dict[str, object]) -> None:
    connect("postgresql://db.example/app?options=-cx%3Dy&port=6000", options="-cz=1", port=7000)
    assert (said["options"], said["port"]) == ("-cz=1", 7000)


def test_a_service_of_the_process_is_kept_out_and_stays(
    said: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "theirs")
    connect("postgresql://db.example/app")
    assert said["PGSERVICE"] is None
    assert os.environ["PGSERVICE"] == "theirs"
