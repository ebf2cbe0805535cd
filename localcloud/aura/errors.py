"""The API's errors, in both forms: the API's own, and its gateway's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcloud.asgi import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localcloud.records import Json


@dataclass(frozen=True, slots=True)
class Fault:
    """One of the things that are wrong: a sentence, its category, and the body's field it is about (or none)."""

    message: str
    reason: str
    field: str | None = None


class ApiError(Refusal):
    """An answer other than success, as the API words it: ``{"errors": [{"message", "reason", "field"}]}``."""

    def __init__(self, status: int, *faults: Fault) -> None:
        super().__init__(status, "; ".join(fault.message for fault in faults))
        self.faults = faults

    def document(self, _request_id: str) -> Json:
        """Return the body of the answer."""
        shown: list[Json] = []
        for fault in self.faults:
            one = {"message": fault.message, "reason": fault.reason}
            if fault.field is not None:
                one["field"] = fault.field
            shown.append(one)
        return {"errors": shown}


class GatewayError(Refusal):
    """An answer of what stands before the API (keys, limits, routes): ``{"error": "..."}``."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.message = message

    def document(self, _request_id: str) -> Json:
        """Return the body of the answer."""
        return {"error": self.message}


def no_route() -> GatewayError:
    """Return the error for a path or method that the API does not have."""
    return GatewayError(404, "Not found")


def refused(status: int, message: str, reason: str, of: str | None = None) -> ApiError:
    """Return an error with a single fault."""
    return ApiError(status, Fault(message, reason, of))


def instance_not_found(instance_id: str) -> ApiError:
    """Return the error for an instance that is not there, or not there yet."""
    return refused(404, f"DB not found: {instance_id}", "db-not-found")


def tenant_not_found() -> ApiError:
    """Return the error for a tenant that is not this account's."""
    return refused(404, "The tenant you specified could not be found", "tenant-not-found")


def snapshot_not_found(snapshot_id: str) -> ApiError:
    """Return the error for a snapshot that is not there."""
    return refused(404, f"Snapshot not found: {snapshot_id}", "snapshot-not-found")


def key_not_found(key_id: str, of: str | None = None) -> ApiError:
    """Return the error for a customer managed key that is not there."""
    return refused(404, f"Encryption Key not found: {key_id}", "encryption-key-not-found", of)


def busy(operation: str) -> ApiError:
    """Return the error while an instance has an operation under way. The wording is the API's."""
    return refused(
        409,
        f"The database is current undergoing an operation: {operation}",
        "ongoing-database-operation",
    )


def unavailable(action: str, status: str) -> ApiError:
    """Return the error for an action that an instance in this status cannot take."""
    return refused(
        409,
        f"The action {action} is not available while the instance is {status}",
        "instance-action-unavailable",
    )


def incapable(message: str, of: str | None = None, status: int = 400) -> ApiError:
    """Return the error for what the instance's type does not have."""
    return refused(status, message, "database-incapable-of-action", of)
