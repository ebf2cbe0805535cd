"""The dynamic providers over gRPC, as an engine asks them."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]  # it has none
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)
from pulumi.output import contains_unknowns
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from providers.provider import Provider, Surroundings
from providers.resource import serialized
from tenantry.errors import TenantryError
from tenantry.provisioning.pauses import pause
from tenantry.running.dynamic import DynamicProviders, attached
from tenantry.running.serving import serve

SECONDS = 20
LONG = 600


class Things(Provider):
    """Does what the name of a thing says."""

    inputs = ("name", "size")
    meeting = threading.Barrier(12)
    waiting = threading.Event()

    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        self.setting = req.config.get("tenantry:setting")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        unknown = contains_unknowns(news["size"])
        return CheckResult(news, [CheckFailure("size", "not known")] if unknown else [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds["size"] == _news["size"]:
            return super().diff(_id, _olds, _news)
        return DiffResult(changes=True, replaces=["size"], delete_before_replace=True)

    def create(self, props: dict[str, Any]) -> CreateResult:
        match props["name"]:
            case "refused":
                raise TenantryError("it is too big", place="acme/web", way_out="take another")
            case "broken":
                raise ZeroDivisionError
            case "meets":
                self.meeting.wait(SECONDS)
            case "waits":
                self.waiting.set()
                pause(LONG)
        seen = {
            "setting": self.setting,
            "variable": self.surroundings.environment.get("WHERE"),
            "folder": str(self.surroundings.folder),
            "served": self.served,
            "none": None,
        }
        return CreateResult("made", {**self.given(props), **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_olds, **_news})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(None, {}) if props["name"] == "gone" else ReadResult(id_, props, props)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        if _props["name"] == "refused":
            raise TenantryError("it stays")


def struct(**values: Any) -> struct_pb2.Struct:
    return json_format.ParseDict({**values, "__provider": serialized(Things)}, struct_pb2.Struct())


def plain(found: struct_pb2.Struct) -> dict[str, Any]:
    values: dict[str, Any] = json_format.MessageToDict(found)
    assert values.pop("__provider") == serialized(Things)
    return values


@pytest.fixture
def providers(tmp_path: Path) -> DynamicProviders:
    return DynamicProviders(Surroundings({"WHERE": "in this run"}, tmp_path))


@pytest.fixture
def engine(providers: DynamicProviders) -> Iterator[Any]:
    with (
        serve(lambda: None, providers=providers) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1"))
        stub.Configure(provider_pb2.ConfigureRequest(args=settings("first")))
        yield stub


def settings(value: str) -> struct_pb2.Struct:
    secret = {rpc._special_sig_key: rpc._special_secret_sig, "value": value}
    return json_format.ParseDict({"tenantry:setting": secret}, struct_pb2.Struct())


def create(engine: Any, name: str) -> dict[str, Any]:
    request = provider_pb2.CreateRequest(properties=struct(name=name, size=1))
    return plain(engine.Create(request, timeout=SECONDS).properties)


def failure(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as found:
        call()
    return found.value.code(), found.value.details()


def test_the_engine_is_told_where_they_are() -> None:
    assert attached("127.0.0.1:4711") == {"PULUMI_DEBUG_PROVIDERS": "pulumi-python:4711"}


def test_a_create_has_the_runs_own_settings_and_surroundings(engine: Any, tmp_path: Path) -> None:
    assert create(engine, "thing") == {
        "name": "thing",
        "size": 1.0,
        "setting": "first",
        "variable": "in this run",
        "folder": str(tmp_path),
        "served": True,
    }
    engine.Configure(provider_pb2.ConfigureRequest(args=settings("second")))
    assert create(engine, "thing")["setting"] == "second"


def test_a_check_keeps_what_is_not_known_yet(engine: Any) -> None:
    given = struct(name="thing", size=rpc.UNKNOWN)
    found = engine.Check(provider_pb2.CheckRequest(news=given))
    assert found.inputs == given
    assert [(each.property, each.reason) for each in found.failures] == [("size", "not known")]


@pytest.mark.parametrize(
    ("name", "size", "changes", "replaces"),
    [
        ("thing", 1, provider_pb2.DiffResponse.DIFF_NONE, []),
        ("other", 1, provider_pb2.DiffResponse.DIFF_SOME, []),
        ("thing", 2, provider_pb2.DiffResponse.DIFF_SOME, ["size"]),
    ],
)
def test_a_difference(engine: Any, name: str, size: int, changes: int, replaces: list[str]) -> None:
    request = provider_pb2.DiffRequest(
        id="made", olds=struct(name="thing", size=1), news=struct(name=name, size=size)
    )
    found = engine.Diff(request)
    assert (found.changes, list(found.replaces)) == (changes, replaces)
    assert found.deleteBeforeReplace is bool(replaces)


def test_an_update_a_read_and_a_deletion(engine: Any) -> None:
    olds = struct(name="thing", size=1, kept="yes")
    updated = engine.Update(
        provider_pb2.UpdateRequest(id="made", olds=olds, news=struct(name="other", size=1))
    )
    assert plain(updated.properties) == {"name": "other", "size": 1.0, "kept": "yes"}
    read = engine.Read(provider_pb2.ReadRequest(id="made", properties=olds))
    assert (read.id, read.properties, read.inputs) == ("made", olds, olds)
    gone = engine.Read(provider_pb2.ReadRequest(id="made", properties=struct(name="gone", size=1)))
    assert (gone.id, plain(gone.properties), gone.HasField("inputs")) == ("", {}, False)
    deletion = provider_pb2.DeleteRequest(id="made", properties=olds)
    assert engine.Delete(deletion) == empty_pb2.Empty()


def test_a_failure_that_says_all_is_one_line_and_another_comes_with_the_way_there(
    engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert failure(lambda: create(engine, "refused")) == (
        grpc.StatusCode.UNKNOWN,
        "acme/web: it is too big: take another",
    )
    code, said = failure(lambda: create(engine, "broken"))
    assert code == grpc.StatusCode.UNKNOWN
    assert said.startswith("Traceback (most recent call last):")
    assert "ZeroDivisionError" in said
    deletion = provider_pb2.DeleteRequest(id="made", properties=struct(name="refused"))
    assert failure(lambda: engine.Delete(deletion)) == (grpc.StatusCode.UNKNOWN, "it stays")
    # Nothing of it on the command's own terminal.
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_what_the_engine_can_do_without_is_left_to_it(
    engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for call, request in (
        (engine.Handshake, provider_pb2.ProviderHandshakeRequest()),
        (engine.CheckConfig, provider_pb2.CheckRequest()),
        (engine.DiffConfig, provider_pb2.DiffRequest()),
    ):
        assert failure(lambda: call(request))[0] == grpc.StatusCode.UNIMPLEMENTED  # noqa: B023
    assert engine.GetPluginInfo(empty_pb2.Empty()).version == "0.1.0"
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_many_are_made_at_once(engine: Any) -> None:
    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda _: create(engine, "meets")["name"], range(12)))
    assert made == ["meets"] * 12


@pytest.mark.parametrize("by", ["the engine", "the end of the run"])
def test_what_waits_ends_when_the_run_is_to_end(
    by: str, engine: Any, providers: DynamicProviders
) -> None:
    Things.waiting.clear()
    with ThreadPoolExecutor() as pool:
        found = pool.submit(failure, lambda: create(engine, "waits"))
        assert Things.waiting.wait(SECONDS)
        if by == "the engine":
            engine.Cancel(empty_pb2.Empty())
        else:
            providers.stopped.set()
        said = "ended because the run was stopped: tenantry up goes on"
        assert found.result(SECONDS) == (grpc.StatusCode.UNKNOWN, said)
