"""The resource by which an app takes a project over: what is refused before anything is made."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from pulumi.dynamic import Config, ConfigureRequest

from providers.adoption import AdoptionProvider
from tenantry.neon.client import NeonError
from tenantry.neon.looking import NeonClient
from tests.unit.neon.existing import NAME, OWNER, Neon
from tests.unit.recovery.project import neon_client

PROPS: dict[str, Any] = {
    "target": "acme/web",
    "project": "p-1",
    "name": NAME,
    "owner": OWNER,
    "organization": "org-1",
    "region": "aws-us-east-2",
    "postgresVersion": 17.0,
    "logicalReplication": False,
    "found": None,
}


def provider(neon: Neon, monkeypatch: pytest.MonkeyPatch) -> AdoptionProvider:
    made = AdoptionProvider()
    made.configure(ConfigureRequest(Config({"neon:apiKey": "napi_kept"}, "tenantry")))

    def connect(settings: Mapping[str, str], _: Mapping[str, str]) -> NeonClient:
        assert settings == {"neon:apiKey": "napi_kept"}
        return neon_client(neon)

    monkeypatch.setattr("tenantry.neon.looking.connect", connect)
    return made


def test_the_project_is_noted_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = provider(Neon(), monkeypatch).check({}, PROPS)
    assert not checked.failures
    found = json.loads(checked.inputs["found"])
    assert (found["project"], found["name"], found["databases"]) == ("p-1", "kitchen", ["neondb"])


def test_a_project_that_the_app_has_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    neon = Neon()
    checked = provider(neon, monkeypatch).check(PROPS | {"found": "as it was"}, PROPS)
    assert checked.inputs["found"] == "as it was"
    assert not neon.asked
    olds = PROPS | {"found": "as it was"}
    assert AdoptionProvider().diff("p-1", olds, checked.inputs).changes is False


def test_another_project_than_the_one_it_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    neon = Neon()
    checked = provider(neon, monkeypatch).check(PROPS, PROPS | {"project": "p-2"})
    (failure,) = checked.failures
    assert "acme/web: adopt.project: the app has project p-1" in failure.reason
    assert not neon.asked


def test_what_speaks_against_it_is_said_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    neon = Neon({"pg_version": 16})
    taking = provider(neon, monkeypatch)
    (failure,) = taking.check({}, PROPS).failures
    assert failure.reason.startswith("acme/web: adopt.project: project p-1 has PostgreSQL 16")
    # And once more before it is made: another run may have been there.
    with pytest.raises(NeonError, match="has PostgreSQL 16"):
        taking.create(PROPS)
    assert not [each for each in neon.asked if not each.startswith("GET ")]


def test_a_key_that_is_refused_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(Neon):
        def __call__(self, _: httpx.Request) -> httpx.Response:
            return httpx.Response(401, json={"message": "authentication required"})

    (failure,) = provider(Closed(), monkeypatch).check({}, PROPS).failures
    assert failure.reason.startswith("acme/web: adopt.project: GET /api/v2/projects/p-1: 401")
    assert "is NEON_API_KEY right?" in failure.reason
    assert "napi_kept" not in failure.reason


def test_a_create_makes_the_project_the_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    neon = Neon()
    made = provider(neon, monkeypatch).create(PROPS)
    assert made.id == "p-1"
    assert made.outs
    assert made.outs["project"] == "p-1"
    assert neon.project["name"] == NAME
    assert OWNER in neon.roles
