"""A program run against mocks, with every registration kept as the engine would have got it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks

SECRET = {rpc._special_sig_key: rpc._special_secret_sig}

# What the cloud would answer; everything else is the inputs.
ANSWERS: dict[str, dict[str, Any]] = {
    "neon:index/project:Project": {
        "databaseHost": "ep-main.example",
        "databaseHostPooler": "ep-main-pooler.example",
        "databaseName": "neondb",
        "databasePassword": SECRET | {"value": "owner-password"},
        "defaultBranchId": "br-main",
    },
    "pulumi-python:dynamic/tenantry:AuraInstance": {
        "connectionUrl": "neo4j+s://db1.example",
        "username": "neo4j",
        "password": SECRET | {"value": "graph-password"},
        "createdAt": "2026-11-22T05:00:00Z",
    },
    "pulumi-python:dynamic/tenantry:AuraReady": {
        "uri": "neo4j+s://db1.example",
        "status": "ready",
    },
    "neon:index/endpoint:Endpoint": {"host": "ep-branch.example"},
    "random:index/randomPassword:RandomPassword": {"result": SECRET | {"value": "p" * 40}},
}


@dataclass(frozen=True)
class Registered:
    """One resource as it was registered."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: dict[str, Any]
    protect: bool
    retain: bool
    deleted_with: str
    delete_before_replace: bool
    replace_with: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    dependencies: tuple[str, ...]
    provider: str
    aliases: tuple[str, ...]
    """Names alone. What an SDK itself says of earlier types has none."""

    @property
    def parent_type(self) -> str:
        """The type of the parent, without its own ancestors."""
        return self.parent.split("::")[2].split("$")[-1] if self.parent else ""


class Cloud(Mocks):
    """Answers each create with its inputs and what the cloud adds."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"id-of-{args.name}", {**args.inputs, **ANSWERS.get(args.typ, {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if args.token == "pulumi:pulumi:readStackResourceOutputs":
            return {"name": args.args["stackName"], "outputs": self.state}, []
        raise AssertionError(f"unexpected call {args.token}")


class RecordingMonitor(MockMonitor):
    """Keeps the options too, which `Mocks` does not see."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.registered: list[Registered] = []
        self.outputs: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[Any, bool]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResource(request)
        if request.type == "pulumi:pulumi:Stack":
            return answer
        self.registered.append(
            Registered(
                urn=answer.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                inputs=json_format.MessageToDict(request.object),
                protect=request.protect,
                retain=request.retainOnDelete,
                deleted_with=request.deletedWith,
                delete_before_replace=request.deleteBeforeReplace,
                replace_with=tuple(request.replace_with),
                ignore_changes=tuple(request.ignoreChanges),
                dependencies=tuple(request.dependencies),
                provider=request.provider,
                aliases=tuple(each.spec.name for each in request.aliases if each.spec.name),
            )
        )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        self.outputs[request.urn] = json_format.MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)


def run(
    program: Callable[[], dict[str, pulumi.Output[Any]]], *, state: dict[str, Any] | None = None
) -> RecordingMonitor:
    """Run the program to its end; `answers` then has each output that it returns, and whether it is secret."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = RecordingMonitor(Cloud(state or {}))
    set_mocks(monitor.mocks, project="tenantry", stack="dev", preview=False, monitor=monitor)

    @pulumi.runtime.test
    def body() -> pulumi.Output[None]:
        async def settle() -> None:
            for name, output in returned.items():
                monitor.answers[name] = (await output.future(), await output.is_secret())

        returned = program()
        return pulumi.Output.from_input(settle())

    try:
        body()
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return monitor
