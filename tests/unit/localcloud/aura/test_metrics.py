from __future__ import annotations

from urllib.parse import urlsplit

from tests.unit.localcloud.aura.account import CHANGE, Account


def test_a_tenants_metrics_are_where_the_integration_says(account: Account) -> None:
    made = account.running()
    path = f"/tenants/{account.settings.aura_tenant_id}/metrics-integration"
    url = urlsplit(account.ask("GET", path)["endpoint"])
    headers = {"Authorization": f"Bearer {account.token}"}
    name = f'aura_instance_running{{instance_id="{made["id"]}"}}'
    assert f"{name} 1\n" in account.request("GET", url.path, headers=headers).text
    account.ask("POST", f"/instances/{made['id']}/pause")
    account.clock.seconds += CHANGE
    assert f"{name} 0\n" in account.request("GET", url.path, headers=headers).text
    assert account.request("GET", url.path).status_code == 401
    assert account.refusal("GET", "/tenants/other/metrics-integration")[0] == 404
