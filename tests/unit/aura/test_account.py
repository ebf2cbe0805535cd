from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tenantry.aura.account import Account
from tenantry.aura.errors import AuraCredentialsError, InstanceError
from tests.unit.aura.support import (
    GET,
    LIST,
    TENANT,
    WANTED,
    Api,
    FakeTime,
    data,
    instance,
    refusal,
)

PROJECT = f"GET /v1/tenants/{TENANT}"
OFFER = {
    "type": "professional-db",
    "cloud_provider": "gcp",
    "region": "us-central1",
    "region_name": "Iowa",
    "memory": "8GB",
    "storage": "16GB",
    "version": "5",
}
OFFERS = data({"id": TENANT, "name": "ours", "instance_configurations": [OFFER]})


def test_many_instances_are_judged_with_two_requests(tmp_path: Path) -> None:
    api = Api().on(PROJECT, OFFERS).on(LIST, data([instance()])).on(GET, data(instance()))
    with api.client(tmp_path) as client:
        account = Account(client)
        for n in range(5):
            assert account.judge(replace(WANTED, name=f"n{n}"), is_new=True) is None
        illegal = account.judge(replace(WANTED, memory="7GB"), is_new=True)
        taken = account.judge(WANTED, is_new=True)
        assert account.judge(WANTED, is_new=False) is None
    assert illegal is not None
    assert illegal.field == "memory"
    assert taken is not None
    assert taken.field == "name"
    assert [len(api.sent(route)) for route in (PROJECT, LIST, GET)] == [1, 1, 1]


def test_an_answer_does_not_last_for_ever(tmp_path: Path) -> None:
    api, fake = Api().on(PROJECT, OFFERS).on(LIST, data([])), FakeTime()
    with api.client(tmp_path, fake) as client:
        account = Account(client)
        account.judge(WANTED, is_new=True)
        fake.now += 31
        account.judge(WANTED, is_new=True)
    assert len(api.sent(LIST)) == 2


def test_a_wrong_project_is_said_with_those_that_are_seen(tmp_path: Path) -> None:
    api = Api().on(PROJECT, refusal(404, "not found", "tenant-not-found"))
    api.on("GET /v1/tenants", data([{"id": "t-1", "name": "ours"}]))
    with api.client(tmp_path) as client, pytest.raises(InstanceError) as caught:
        Account(client).judge(WANTED, is_new=True)
    assert str(caught.value) == (
        f"Aura project {TENANT} (AURA_TENANT_ID) is not one that these credentials see: t-1 (ours)"
    )


def test_wrong_credentials_are_tried_once_for_all(tmp_path: Path) -> None:
    api = Api().on("POST /oauth/token", httpx.Response(401, json={"error": "no"}))
    with api.client(tmp_path) as client:
        account = Account(client)
        for _ in range(3):
            with pytest.raises(AuraCredentialsError, match="the credentials are refused"):
                account.judge(WANTED, is_new=True)
    assert len(api.requests) == 1
