from pathlib import Path
from typing import Any

import httpx
import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import UNKNOWN

import providers.aura
from providers.aura import AuraInstanceProvider, AuraReadyProvider
from tenantry.aura.account import Account
from tenantry.aura.errors import AuraSettingsError, InstanceError
from tenantry.aura.settings import AuraSettings
from tenantry.errors import TenantryError
from tests.unit.aura.support import (
    CREATE,
    CREATED,
    DELETE,
    GET,
    GONE,
    LIST,
    NOW,
    PASSWORD,
    PATCH,
    TENANT,
    Api,
    FakeTime,
    data,
    instance,
    refusal,
)
from tests.unit.aura.test_account import OFFERS, PROJECT

PROPS = {
    "target": "acme/web",
    "name": "tenantry--acme--web",
    "type": "professional-db",
    "cloud": "gcp",
    "region": "us-central1",
    "memory": "8GB",
    "version": "5",
    "tenantId": TENANT,
    "snapshotBeforeDelete": False,
}
OUTPUTS = {
    "connectionUrl": "neo4j+s://db1d1234.databases.example",
    "username": "neo4j",
    "password": PASSWORD,
    "createdAt": "2026-11-22T05:00:00Z",
}
STATE = {**PROPS, **OUTPUTS}
READY = {
    "target": "acme/web",
    "instanceId": "db1d1234",
    "tenantId": TENANT,
    "memory": "8GB",
    "paused": False,
    **OUTPUTS,
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    answering, time = Api(), FakeTime()
    account = Account(answering.client(tmp_path, time))

    def shared(_settings: AuraSettings) -> Account:
        return account

    monkeypatch.setattr(providers.aura, "_account", shared)
    for name, value in (("ID", "id"), ("SECRET", "s")):
        monkeypatch.setenv(f"AURA_CLIENT_{name}", value)
    monkeypatch.setenv("AURA_TENANT_ID", TENANT)
    return answering


def configured(provider: Any, **config: str) -> Any:
    provider.configure(ConfigureRequest(Config(config, "tenantry")))
    return provider


@pytest.fixture
def maker(api: Api) -> AuraInstanceProvider:
    assert api
    made: AuraInstanceProvider = configured(AuraInstanceProvider())
    return made


@pytest.fixture
def waiter(api: Api) -> AuraReadyProvider:
    assert api
    made: AuraReadyProvider = configured(AuraReadyProvider())
    return made


def test_the_stacks_settings_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURA_TENANT_ID", "of the environment")
    seen: list[AuraSettings] = []

    def shared(settings: AuraSettings) -> Any:
        seen.append(settings)

    monkeypatch.setattr(providers.aura, "_account", shared)
    config = {"tenantry:auraApiToken": "t", "tenantry:auraTenantId": "of the stack"}
    configured(AuraInstanceProvider(), **config).account()
    assert (seen[0].tenant_id, seen[0].api_token) == ("of the stack", "t")
    monkeypatch.delenv("AURA_TENANT_ID")
    with pytest.raises(
        AuraSettingsError, match="AURA_CLIENT_ID and AURA_CLIENT_SECRET and AURA_TENANT_ID not set"
    ):
        configured(AuraReadyProvider()).account()


def test_a_provider_is_kept_in_the_state_without_its_settings() -> None:
    assert AuraInstanceProvider().__dict__ == {}
    assert AuraReadyProvider().__dict__ == {}


def test_what_is_as_it_was_asks_nothing(api: Api, maker: AuraInstanceProvider) -> None:
    assert maker.check(PROPS, PROPS).failures == []
    assert maker.diff("db1d1234", STATE, PROPS).changes is False
    assert api.requests == []


def test_an_illegal_size_and_a_taken_name_are_found_before_anything_is_made(
    api: Api, maker: AuraInstanceProvider
) -> None:
    api.on(PROJECT, OFFERS).on(LIST, data([instance()])).on(GET, data(instance()))
    illegal = maker.check({}, {**PROPS, "memory": "7GB"}).failures
    assert [(f.property, "write one of 8GB" in f.reason) for f in illegal] == [("memory", True)]
    taken = maker.check({}, PROPS).failures
    assert [f.property for f in taken] == ["name"]
    # Another of the name is no fault of one that is there, or that is taken over.
    assert maker.check({}, {**PROPS, "adoptInstanceId": "db1d1234"}).failures == []
    assert maker.check({**PROPS, "memory": "4GB"}, PROPS).failures == []
    # Renamed, perhaps by a run that was cut off: its own name is not another's.
    assert maker.check({**PROPS, "name": "before"}, PROPS).failures == []
    # What replaces it is checked as if there were none before.
    assert maker.check({}, PROPS).failures == []


def test_a_name_that_is_too_long_and_credentials_that_are_wrong_are_one_line_each(
    api: Api, maker: AuraInstanceProvider
) -> None:
    (long,) = maker.check({}, {**PROPS, "name": "n" * 31}).failures
    assert "1 to 30 characters" in long.reason
    assert api.requests == []
    api.on("POST /oauth/token", httpx.Response(401))
    (wrong,) = maker.check({}, PROPS).failures
    assert wrong.reason.startswith(
        "acme/web: Aura: POST oauth/token: 401 the credentials are refused"
    )
    assert "\n" not in wrong.reason


def test_unknown_values_are_tolerated(api: Api, maker: AuraInstanceProvider) -> None:
    unknown = {**PROPS, "name": UNKNOWN}
    assert maker.check({}, unknown).failures == []
    assert maker.diff("db1d1234", STATE, unknown).changes is True
    assert api.requests == []


@pytest.mark.parametrize(
    ("name", "value", "replaces"),
    [
        ("name", "n", []),
        ("memory", "16GB", []),
        ("snapshotBeforeDelete", True, []),
        ("type", "business-critical", ["type"]),
        ("cloud", "aws", ["cloud"]),
        ("region", "r", ["region"]),
        ("version", "4", ["version"]),
        ("tenantId", "t", ["tenantId"]),
    ],
)
def test_only_name_and_size_change_in_place(
    maker: AuraInstanceProvider, name: str, value: object, replaces: list[str]
) -> None:
    found = maker.diff("db1d1234", STATE, {**PROPS, name: value})
    assert found.changes is True
    assert found.replaces == replaces
    assert found.delete_before_replace is True


def test_what_was_said_of_a_takeover_changes_nothing_afterwards(
    maker: AuraInstanceProvider,
) -> None:
    adopted = {**STATE, "adoptInstanceId": "db1d1234", "adoptPassword": PASSWORD}
    assert maker.diff("db1d1234", adopted, PROPS).changes is False
    assert maker.diff("db1d1234", STATE, {**PROPS, "adoptInstanceId": "x"}).changes is False


def test_a_create_gives_all_that_was_told(api: Api, maker: AuraInstanceProvider) -> None:
    api.on(LIST, data([])).on(CREATE, CREATED)
    made = maker.create(PROPS)
    assert made.id == "db1d1234"
    assert made.outs is not None
    assert {name: value for name, value in made.outs.items() if value is not None} == STATE


def test_a_failed_create_is_one_line(api: Api, maker: AuraInstanceProvider) -> None:
    api.on(LIST, data([instance()])).on(GET, data(instance()))
    with pytest.raises(InstanceError) as caught:
        maker.create(PROPS)
    # What the server shows without the way there; see test_provider.
    assert isinstance(caught.value, TenantryError)
    assert "\n" not in str(caught.value)


def test_an_update_sends_what_changed_and_keeps_what_was_told(
    api: Api, maker: AuraInstanceProvider
) -> None:
    api.on(PATCH, httpx.Response(202, json={}))
    done = maker.update("db1d1234", STATE, {**PROPS, "memory": "16GB"})
    assert api.sent(PATCH)[0].content == b'{"memory":"16GB"}'
    assert done.outs is not None
    assert {**STATE, "memory": "16GB"}.items() <= done.outs.items()
    done = maker.update("db1d1234", STATE, {**PROPS, "snapshotBeforeDelete": True})
    assert len(api.sent(PATCH)) == 1
    assert done.outs is not None
    assert done.outs["snapshotBeforeDelete"] is True


def test_a_refresh_shows_what_changed_and_keeps_what_aura_does_not_say(
    api: Api, maker: AuraInstanceProvider
) -> None:
    api.on(GET, data(instance(name="by hand", memory=None, connection_url=None, status="paused")))
    read = maker.read("db1d1234", STATE)
    assert read.outs == {**STATE, "name": "by hand"}
    assert read.inputs is not None
    assert read.inputs["name"] == "by hand"
    assert read.inputs["version"] == "5"
    assert "password" not in read.inputs


def test_a_refresh_says_gone_only_when_it_is_certain(api: Api, maker: AuraInstanceProvider) -> None:
    api.on(GET, GONE).on(LIST, data([]))
    assert maker.read("db1d1234", STATE).id is None
    young = {**STATE, "createdAt": "2027-01-15T08:00:00Z"}
    assert NOW == 1_800_000_000  # that moment
    assert maker.read("db1d1234", young).outs == young
    api.on(LIST, refusal(404, "no", "tenant-not-found"))
    with pytest.raises(Exception, match="tenant-not-found"):
        maker.read("db1d1234", STATE)


def test_a_deletion_waits_where_the_account_has_one_place(
    api: Api, maker: AuraInstanceProvider
) -> None:
    going = data(instance(status="destroying"))
    api.on(DELETE, data(instance(), 202)).on(GET, going)
    maker.delete("db1d1234", STATE)
    assert len(api.sent(GET)) <= 1
    api.on(GET, going, going, GONE)
    before = len(api.sent(GET))
    maker.delete("db1d1234", {**STATE, "type": "free-db"})
    assert len(api.sent(GET)) == before + 3


def test_a_wait_is_repeated_for_another_size_or_a_pause_and_made_anew_for_another_instance(
    waiter: AuraReadyProvider,
) -> None:
    state = {**READY, "uri": OUTPUTS["connectionUrl"], "status": "ready"}
    assert waiter.diff("x", state, READY).changes is False
    for change in ({"memory": "16GB"}, {"paused": True}, {"password": "another"}):
        found = waiter.diff("x", state, {**READY, **change})
        assert (found.changes, found.replaces) == (True, [])
    for other in ("other", UNKNOWN):
        found = waiter.diff("x", state, {**READY, "instanceId": other})
        assert (found.changes, found.replaces) == (True, ["instanceId"])


def test_what_a_preview_of_a_rename_does_not_know_is_no_change(waiter: AuraReadyProvider) -> None:
    unknown = dict.fromkeys(OUTPUTS, UNKNOWN)
    assert waiter.diff("x", READY, {**READY, **unknown}).changes is False


def test_a_refresh_finds_a_pause_that_nobody_asked_for(api: Api, waiter: AuraReadyProvider) -> None:
    state = {**READY, "uri": OUTPUTS["connectionUrl"], "status": "ready"}
    api.on(GET, data(instance(status="paused", connection_url=None)))
    read = waiter.read("x", state)
    assert read.outs == {**state, "paused": True, "status": "paused"}
    assert read.inputs is not None
    assert read.inputs["paused"] is True
    api.on(GET, data(instance(status="updating")))
    assert waiter.read("x", state).outs == state
    api.on(GET, GONE).on(LIST, data([]))
    assert waiter.read("x", state).id is None


def test_a_wait_tells_where_to_connect(
    api: Api, waiter: AuraReadyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.aura.readiness._answers", lambda _connection: None)
    api.on(GET, data(instance(status="creating")), data(instance()))
    made = waiter.create(READY)
    assert made.id == "db1d1234/ready"
    assert made.outs is not None
    assert (made.outs["uri"], made.outs["status"]) == (OUTPUTS["connectionUrl"], "ready")
    api.on(GET, data(instance(status="paused")))
    done = waiter.update("x", READY, {**READY, "paused": True})
    assert done.outs is not None
    assert done.outs["status"] == "paused"
