"""What the API takes and gives: the documents, with an example of each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tenantry.selfservice.operations import ErrorKind, Kind
from tenantry.selfservice.operations import Status as OperationStatus
from tenantry.selfservice.specs import Status

APP: Final = "7f1c2f5e-0d5b-4a5e-9a63-0e6b8f0d9c11"
OPERATION: Final = "0b9d7a3c-4a55-4f0e-8f5e-6f3f1f0a2b7d"
AT: Final = "2026-11-29T10:00:00Z"
URI: Final = "postgresql://web_a:PASSWORD@ep-young-sun-12345678.aws-eu-central-1.aws.neon.tech/web"


class Document(BaseModel):
    """What all have: no other members."""

    model_config = ConfigDict(extra="forbid")


def _example(**members: Any) -> ConfigDict:  # noqa: ANN401  # any JSON value
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [members]})


class AppRequest(Document):
    """An app that is asked for."""

    model_config = _example(app_name="web", plan="starter", region="aws-eu-central-1")

    app_name: str = Field(
        max_length=200, description="a DNS label; no other app of the tenant has it"
    )
    plan: str | None = Field(
        None, max_length=200, description="one of the tenant's plans; the first of them by default"
    )
    region: str | None = Field(
        None, max_length=200, description="one of those that are offered; the plan's by default"
    )
    tenant: str | None = Field(
        None, max_length=200, description="another tenant than the token's: needs fleet:admin"
    )


class AppChange(Document):
    """What is to be different. What is not named stays."""

    model_config = _example(plan="pro")

    plan: str | None = Field(None, max_length=200)
    region: str | None = Field(None, max_length=200)


class Progress(Document):
    """The last thing that was done for an app, or is under way."""

    id: UUID
    kind: Kind
    status: OperationStatus
    href: str = Field(description="where it is")
    attempts: int
    next_attempt_at: datetime | None = Field(description="when it is tried again, where it waits")
    reason: str | None = Field(description="why the last attempt did not succeed; one line")


_PROGRESS: Final[dict[str, Any]] = {
    "id": OPERATION,
    "kind": "create",
    "status": "succeeded",
    "href": f"/v1/operations/{OPERATION}",
    "attempts": 1,
    "next_attempt_at": None,
    "reason": None,
}


_APP: Final[dict[str, Any]] = {
    "app_id": APP,
    "app_name": "web",
    "tenant": "acme",
    "plan": "starter",
    "region": "aws-eu-central-1",
    "status": "ready",
    "generation": 1,
    "observed_generation": 1,
    "created_at": AT,
    "updated_at": AT,
    "deletion_requested_at": None,
    "deleted_at": None,
    "operation": _PROGRESS,
}


class App(Document):
    """An app that was asked for, without its secrets."""

    model_config = _example(**_APP)

    app_id: UUID
    app_name: str
    tenant: str
    plan: str
    region: str | None = Field(description="null where neither the row nor the plan says one")
    status: Status
    generation: int = Field(description="counts what was asked for; also the ETag")
    observed_generation: int = Field(description="what a run has brought the app to; 0: nothing")
    created_at: datetime
    updated_at: datetime
    deletion_requested_at: datetime | None
    deleted_at: datetime | None
    operation: Progress | None


class Page(Document):
    """Some apps, the oldest first."""

    model_config = _example(items=[_APP], next_cursor=None)

    items: list[App]
    next_cursor: str | None = Field(description="for the next page; null at the last one")


class Created(Document):
    """An app that was asked for, and where it is if it is ready."""

    model_config = _example(
        app_id=APP,
        app_name="web",
        uri=URI,
        morphik_uri=URI,
        status="ready",
        operation=_PROGRESS,
    )

    app_id: UUID
    app_name: str
    uri: str | None = Field(
        description="null until it is ready, and for a caller without apps:secrets"
    )
    morphik_uri: str | None = Field(description="the same under the name that it had once")
    status: Status
    operation: Progress


class Connection(Document):
    """Where an app connects, with its password."""

    model_config = _example(
        app_id=APP, app_name="web", uri=URI, morphik_uri=URI, pooled_uri=URI, status="ready"
    )

    app_id: UUID
    app_name: str
    uri: str = Field(description="for migrations, listening and long sessions")
    morphik_uri: str = Field(description="the same under the name that it had once")
    pooled_uri: str = Field(description="through the pooler: for many short connections")
    status: Status


class Operation(Document):
    """What is done for an app."""

    model_config = _example(
        id=OPERATION,
        kind="create",
        status="succeeded",
        app="acme/web",
        app_id=APP,
        href=f"/v1/operations/{OPERATION}",
        attempts=1,
        interruptions=0,
        next_attempt_at=None,
        reason=None,
        reason_kind=None,
        changed=True,
        created_at=AT,
        started_at=AT,
        ended_at=AT,
    )

    id: UUID
    kind: Kind
    status: OperationStatus
    app: str = Field(description="tenant/name")
    app_id: UUID | None = Field(description="null where the app is declared in the registry's file")
    href: str
    attempts: int
    interruptions: int = Field(description="how often a worker was lost in the middle")
    next_attempt_at: datetime | None
    reason: str | None = Field(description="why the last attempt did not succeed; one line")
    reason_kind: ErrorKind | None
    changed: bool | None = Field(
        description="whether it changed something; null until it has ended"
    )
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


Scope = Literal["read", "write", "admin"]


class KeyRequest(Document):
    """An API key that is asked for."""

    model_config = _example(name="reports", scopes=["read"], expires="2027-06-30")

    name: str = Field(max_length=200)
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = ["read", "write"]
    expires: date | None = Field(None, description="the last day, in UTC")


_KEY: Final[dict[str, Any]] = {
    "name": "reports",
    "scopes": ["read"],
    "generation": 1,
    "expires": "2027-06-30",
    "own": True,
}


class Key(Document):
    """An API key of an app, without its value."""

    model_config = _example(**_KEY)

    name: str
    scopes: list[Scope]
    generation: int
    expires: date | None
    own: bool = Field(description="whether it was asked for; the others are the plan's")


class Keys(Document):
    """The API keys of an app."""

    model_config = _example(items=[_KEY])

    items: list[Key]


class NewKey(Document):
    """An API key that was asked for."""

    model_config = _example(
        app_id=APP, name="reports", key="acme--web_…", status="ready", operation=_PROGRESS
    )

    app_id: UUID
    name: str
    key: str | None = Field(
        description="shown once: null until it is made, and for a caller without apps:secrets"
    )
    status: Literal["pending", "ready"]
    operation: Progress


class KeyValue(Document):
    """The value of an API key, which is shown once."""

    model_config = _example(app_id=APP, name="reports", generation=1, key="acme--web_…")

    app_id: UUID
    name: str
    generation: int
    key: str


class Happening(Document):
    """The data of an event."""

    operation: UUID
    at: datetime
    text: str
