from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localcloud.aura.account import CHANGE, CREATE, Account

PATH = "/customer-managed-keys"


def wanted(account: Account, **fields: Any) -> dict[str, Any]:
    return {
        "key_id": "projects/p/key",
        "region": "europe-west1",
        "name": "key",
        "instance_type": "enterprise-db",
        "tenant_id": account.settings.aura_tenant_id,
        "cloud_provider": "gcp",
    } | fields


def test_a_key_becomes_ready_encrypts_and_stays_while_it_is_used(account: Account) -> None:
    key = account.ask("POST", PATH, wanted(account))
    assert key["status"] == "pending"
    instance = {"type": "enterprise-db", "customer_managed_key_id": key["id"]}
    field = "customer_managed_key_id"
    body = account.wanted(**instance)
    assert account.refusal("POST", "/instances", body) == (400, "validation-error", field)
    account.clock.seconds += CHANGE
    assert account.ask("GET", f"{PATH}/{key['id']}")["status"] == "ready"
    made = account.running(**instance)
    assert account.instance(made)["customer_managed_key_id"] == key["id"]
    refusal = account.refusal("DELETE", f"{PATH}/{key['id']}")
    assert refusal == (400, "encryption-key-is-active", None)
    account.ask("DELETE", f"/instances/{made['id']}")
    account.clock.seconds += CREATE
    account.open()
    assert account.send("DELETE", f"{PATH}/{key['id']}").status_code == 204
    assert account.ask("GET", PATH) == []
    assert account.refusal("GET", f"{PATH}/{key['id']}")[0] == 404


def test_a_key_is_for_its_own_type_cloud_and_region(account: Account) -> None:
    key = account.ask("POST", PATH, wanted(account))
    account.clock.seconds += CHANGE
    body = account.wanted(
        type="enterprise-db", region="us-central1", customer_managed_key_id=key["id"]
    )
    assert account.refusal("POST", "/instances", body)[0] == 400
    body["customer_managed_key_id"] = "none"
    assert account.refusal("POST", "/instances", body)[:2] == (404, "encryption-key-not-found")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"instance_type": "free-db"}, 400),
        ({"region": "mars-1"}, 400),
        ({"cloud_provider": "moon"}, 400),
        ({"name": " x"}, 400),
        ({"tenant_id": "other"}, 404),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    account: Account, fields: dict[str, Any], status: int
) -> None:
    assert account.refusal("POST", PATH, wanted(account, **fields))[0] == status
