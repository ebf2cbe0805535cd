from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.localcloud.aura.account import Account


def test_there_is_one_tenant_which_says_what_it_may_create(account: Account) -> None:
    (listed,) = account.ask("GET", "/tenants")
    assert set(listed) == {"id", "name"}
    shown = account.ask("GET", f"/tenants/{listed['id']}")
    assert shown.items() >= listed.items()
    free = [each for each in shown["instance_configurations"] if each["type"] == "free-db"]
    assert {(each["cloud_provider"], each["memory"]) for each in free} == {("gcp", "1GB")}


def test_another_tenant_is_not_found(account: Account) -> None:
    assert account.refusal("GET", "/tenants/other") == (404, "tenant-not-found", None)
