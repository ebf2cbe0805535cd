from pathlib import Path

import httpx
import pytest

from tenantry.aura.errors import InstanceError
from tenantry.aura.strays import delete_stray
from tests.unit.aura.support import DELETE, GET, GONE, TENANT, Api, data, instance
from tests.unit.test_stack import pulumi

HELD = '{"apps": {"acme/web": {"graphs": {"acme/web": {"instance": "held1234"}}}}}'
SETTINGS = {
    "AURA_CLIENT_ID": "id",
    "AURA_CLIENT_SECRET": "s",
    "AURA_TENANT_ID": TENANT,
    "AURA_BASE_URL": "https://api.example/v1",
}


def environment(folder: Path) -> dict[str, str]:
    return {
        **pulumi(folder, f"echo '{HELD}'"),
        **SETTINGS,
        "AURA_STATE_FOLDER": str(folder / "aura"),
    }


def test_what_no_stack_holds_is_deleted_by_id_and_name(tmp_path: Path) -> None:
    api = Api().on(GET, data(instance()), GONE).on(DELETE, httpx.Response(202, json={}))
    delete_stray(
        "db1d1234",
        "tenantry--acme--web",
        environment(tmp_path),
        transport=httpx.MockTransport(api),
    )
    assert len(api.sent(DELETE)) == 1


def test_what_the_stack_holds_or_is_called_otherwise_is_not(tmp_path: Path) -> None:
    api = Api().on(GET, data(instance()))
    transport = httpx.MockTransport(api)
    with pytest.raises(InstanceError, match="held1234 is the graph acme/web of this stack"):
        delete_stray("held1234", "x", environment(tmp_path), transport=transport)
    with pytest.raises(InstanceError, match='is called "tenantry--acme--web" in Aura, and not "x"'):
        delete_stray("db1d1234", "x", environment(tmp_path), transport=transport)
    assert not api.sent(DELETE)


def test_settings_of_the_stack_serve_too(tmp_path: Path) -> None:
    script = f"""case "$*" in
      config*) echo '{{"tenantry:auraApiToken": {{"value": "t", "secret": true}}, "tenantry:auraTenantId": {{"value": "p"}}}}' ;;
      *) echo '{HELD}' ;;
    esac"""
    api = Api().on(GET, GONE)
    delete_stray(
        "db1d1234",
        "x",
        {**pulumi(tmp_path, script), "AURA_STATE_FOLDER": str(tmp_path / "aura")},
        transport=httpx.MockTransport(api),
    )
    assert api.sent(GET)[0].headers["authorization"] == "Bearer t"
