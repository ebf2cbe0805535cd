"""Events as the engine sends them, built a resource at a time."""

import json
from typing import Any

from tenantry.planning.events import Run, read_events
from tenantry.planning.making import plan_of
from tenantry.planning.plan import Plan
from tenantry.registry.declared import declared
from tenantry.registry.models import App, Location

SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "[secret]",
}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
APP = "tenantry:app:TenantApp"
PROJECT = "neon:index/project:Project"
ROLE = "postgresql:index/role:Role"
BRANCH = "neon:index/branch:Branch"
EXTENSION = "postgresql:index/extension:Extension"
RECORD = "pulumi-python:dynamic/tenantry:AppRecord"
MIGRATION = "pulumi-python:dynamic/tenantry:Migration"
API_KEY = "pulumi-python:dynamic/tenantry:ApiKey"
GRAPH = "pulumi-python:dynamic/tenantry:AuraInstance"
ADOPTION = "pulumi-python:dynamic/tenantry:Adoption"
CATALOG = "pulumi-python:dynamic/tenantry:Catalog"

Event = dict[str, Any]
Properties = dict[str, Any]


def app(id_: str = "acme/web", **fields: Any) -> App:
    """An app with defaults."""
    tenant, name = id_.split("/")
    given: dict[str, Any] = {
        "environment": "development",
        "region": "aws-us-east-2",
        "deletion": "delete",
        "tenant_name": tenant.title(),
        "contact": None,
    }
    return App.model_validate(
        {
            "id": id_,
            "namespace": "tenantry",
            "tenant": tenant,
            "name": name,
            "location": Location("tenants.yaml", 1),
        }
        | given
        | fields
    )


def outputs(one: App) -> Properties:
    """What the app's component tells the next run."""
    return {
        "app": one.id,
        "declared": declared(one),
        "deletion": one.deletion,
        "region": one.region,
        "postgresVersion": one.database.postgres_version,
        "generation": one.database.credentials.generation,
        "branches": [branch.name for branch in one.database.branches],
        "apiKeys": {key.name: key.generation for key in one.api_keys},
    }


def urn(type_: str, name: str, stack: str = "dev") -> str:
    """A URN as the program makes it: what belongs to an app is below its component."""
    own = type_ == APP or "/" not in name
    return f"urn:pulumi:{stack}::tenantry::{type_ if own else f'{APP}${type_}'}::{name}"


def step(
    operation: str,
    type_: str,
    name: str,
    *,
    old: Properties | None = None,
    new: Properties | None = None,
    diffs: list[str] | None = None,
    stack: str = "dev",
    old_outputs: Properties | None = None,
    **flags: Any,
) -> list[Event]:
    """The events of one resource; a component's properties are its outputs."""
    component = type_ == APP
    common = {"custom": not component, "id": "" if component else f"id-of-{name}"}

    def state(properties: Properties | None, told: Properties | None = None) -> Event | None:
        if properties is None:
            return None
        inputs = {} if component else properties
        out = properties if component else told or properties
        return common | flags | {"inputs": inputs, "outputs": out}

    before, after = state(old, old_outputs), state(new)
    pre = None if after is None else after | ({"outputs": {}} if component else {})
    facts: Event = {"op": operation, "urn": urn(type_, name, stack), "type": type_, "diffs": diffs}
    parts = (
        ["delete-replaced", "replace", "create-replacement"]
        if operation == "replace"
        else [operation]
    )
    events = [
        {"resourcePreEvent": {"metadata": facts | {"op": each, "old": before, "new": pre}}}
        for each in parts
    ]
    if operation not in {"delete", "replace"}:
        events.append({"resOutputsEvent": {"metadata": facts | {"old": before, "new": after}}})
    return events


def application(
    before: App | None, after: App | None, *resources: list[Event], stack: str = "dev"
) -> list[Event]:
    """The events of an app's component and of what belongs to it."""
    either = after or before
    assert either is not None
    operation = "create" if before is None else "delete" if after is None else "same"
    own = step(
        operation,
        APP,
        either.id,
        old=outputs(before) if before else None,
        new=outputs(after) if after else None,
        stack=stack,
    )
    return [*own, *(event for events in resources for event in events)]


def said(severity: str, text: str) -> Event:
    """A message of the program."""
    return {"diagnosticEvent": {"severity": severity, "message": f"{text}\n"}}


END: Event = {
    "diagnosticEvent": {
        "severity": "error",
        "message": "an unhandled error occurred: program exited with non-zero exit code: 1\n",
    }
}
"""What the engine adds once the program has said what is wrong."""


def run_of(*events: list[Event], stack: str = "dev", result: str = "succeeded") -> Run:
    """A run that says this, between its begin and its end."""
    begin: Event = {"preludeEvent": {"config": {"tenantry:registry": "tenants.yaml"}}}
    end: Event = {"summaryEvent": {"result": result}}
    all_events = [begin, *(each for part in events for each in part), end]
    # As they come: through JSON.
    return read_events((json.loads(json.dumps(each)) for each in all_events), stack=stack)


def plan(*events: list[Event]) -> Plan:
    """The plan of a run of one stack."""
    return plan_of([run_of(*events)], program="p")
