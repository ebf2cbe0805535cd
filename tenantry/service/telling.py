"""Rows as the API's documents, and what an answer says about where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tenantry.service import documents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry.self_service import SelfService
    from tenantry.selfservice.operations import Operation
    from tenantry.selfservice.specs import Listed, Spec

RETRY_SECONDS: Final = 5
"""When to look again at what is under way."""
NO_STORE: Final = {"Cache-Control": "no-store"}


def app_path(app: Spec) -> str:
    """Return where an app is."""
    return f"/v1/apps/{app.id}"


def operation_path(operation: Operation) -> str:
    """Return where an operation is."""
    return f"/v1/operations/{operation.id}"


def etag(app: Spec) -> str:
    """Return the entity tag of an app: its generation."""
    return f'"{app.generation}"'


def region_of(app: Spec, offered: SelfService) -> str | None:
    """Return where an app is, as its row says, or else its plan of today."""
    chosen = app.overrides.get("region")
    if chosen is not None:
        return str(chosen)
    plan = offered.plans.get(app.plan)
    return plan.region if plan else None


def told_app(app: Listed, offered: SelfService) -> documents.App:
    """Return an app's document."""
    # The rows are ours: they are not validated again, which would take as long as the rest of a read.
    return documents.App.model_construct(
        app_id=app.id,
        app_name=app.name,
        tenant=app.tenant,
        plan=app.plan,
        region=region_of(app, offered),
        status=app.status,
        generation=app.generation,
        observed_generation=app.observed_generation,
        created_at=app.created_at,
        updated_at=app.updated_at,
        deletion_requested_at=app.deletion_requested_at,
        deleted_at=app.deleted_at,
        operation=_last(app),
    )


def _last(app: Listed) -> documents.Progress | None:
    if app.operation is None:
        return None
    return documents.Progress.model_construct(
        id=app.operation,
        kind=app.operation_kind,
        status=app.operation_status,
        href=f"/v1/operations/{app.operation}",
        attempts=app.attempts,
        next_attempt_at=app.next_attempt_at,
        reason=app.error_text,
    )


def told_progress(operation: Operation) -> documents.Progress:
    """Return how an operation stands, in short."""
    return documents.Progress.model_construct(
        id=operation.id,
        kind=operation.kind,
        status=operation.status,
        href=operation_path(operation),
        attempts=operation.attempts,
        next_attempt_at=operation.next_attempt_at,
        reason=operation.error_text,
    )


def told_operation(operation: Operation) -> documents.Operation:
    """Return an operation's document."""
    return documents.Operation.model_construct(
        id=operation.id,
        kind=operation.kind,
        status=operation.status,
        app=operation.app_id,
        app_id=operation.spec,
        href=operation_path(operation),
        attempts=operation.attempts,
        interruptions=operation.interruptions,
        next_attempt_at=operation.next_attempt_at,
        reason=operation.error_text,
        reason_kind=operation.error_kind,
        changed=operation.changed,
        created_at=operation.created_at,
        started_at=operation.started_at,
        ended_at=operation.ended_at,
    )


def looking_again(path: str) -> Mapping[str, str]:
    """Return the headers of a 202: where to look, and when."""
    return {"Location": path, "Retry-After": str(RETRY_SECONDS)}
