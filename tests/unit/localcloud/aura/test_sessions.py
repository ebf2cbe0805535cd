from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localcloud.aura.account import CREATE, Account

PATH = "/graph-analytics/sessions"


def wanted(account: Account, **fields: Any) -> dict[str, Any]:
    return {
        "name": "work",
        "memory": "8GB",
        "ttl": "1m30s",
        "tenant_id": account.settings.aura_tenant_id,
        "cloud_provider": "gcp",
        "region": "europe-west1",
    } | fields


def test_a_session_is_made_found_again_and_expires(account: Account) -> None:
    answer = account.send("POST", PATH, wanted(account))
    session = answer.json()["data"]
    assert (answer.status_code, session["status"], session["ttl"]) == (202, "Creating", 90)
    account.clock.seconds += CREATE
    again = account.send("POST", PATH, wanted(account))
    assert (again.status_code, again.json()["data"]["id"]) == (200, session["id"])
    assert again.json()["data"]["status"] == "Ready"
    other = wanted(account, memory="16GB")
    assert account.refusal("POST", PATH, other)[:2] == (409, "session-already-exists")
    account.open()
    account.clock.seconds += 90
    assert account.ask("GET", f"{PATH}/{session['id']}")["status"] == "Expired"
    new = account.ask("POST", PATH, other)
    assert {each["id"] for each in account.ask("GET", PATH)} == {session["id"], new["id"]}
    assert account.ask("DELETE", f"{PATH}/{new['id']}") == {"id": new["id"]}
    assert account.refusal("GET", f"{PATH}/{new['id']}")[0] == 404


def test_a_session_of_an_instance_has_its_place(account: Account) -> None:
    made = account.running()
    body = wanted(account, instance_id=made["id"], cloud_provider=None, region=None)
    session = account.ask("POST", PATH, body)
    assert (session["instance_id"], session["region"]) == (made["id"], "europe-west1")
    assert account.ask("GET", PATH, params={"instanceId": made["id"]}) == [session]
    assert account.ask("GET", PATH, params={"instanceId": "other"}) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"memory": "7GB"}, 400),
        ({"ttl": "soon"}, 400),
        ({"region": None}, 400),
        ({"region": "mars-1"}, 400),
        ({"instance_id": "none"}, 404),
        ({"tenant_id": "other"}, 404),
    ],
)
def test_a_session_that_cannot_be_is_refused(
    account: Account, fields: dict[str, Any], status: int
) -> None:
    assert account.refusal("POST", PATH, wanted(account, **fields))[0] == status


def test_a_bigger_graph_needs_a_bigger_session(account: Account) -> None:
    small = account.ask("POST", f"{PATH}/sizing", {"node_count": 1, "relationship_count": 0})
    assert small == {"estimated_memory": "1GB", "recommended_size": "2GB"}
    body = {"node_count": 10**7, "relationship_count": 10**7, "node_property_count": 9}
    large = account.ask("POST", f"{PATH}/sizing", body)
    assert large == {"estimated_memory": "5GB", "recommended_size": "8GB"}
