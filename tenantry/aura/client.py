"""The Aura API v1: one method for each route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError

from tenantry.aura.clock import Clock, Deadline
from tenantry.aura.errors import (
    AuraCredentialsError,
    AuraThrottledError,
    AuraUnexpectedAnswerError,
)
from tenantry.aura.models import (
    CreatedInstance,
    Instance,
    InstanceSummary,
    Snapshot,
    SnapshotId,
    Tenant,
    TenantSummary,
)
from tenantry.aura.repeating import repeat
from tenantry.aura.shared_pace import limiter_of
from tenantry.aura.token import tokens_of
from tenantry.aura.wire import Answer, Wire

if TYPE_CHECKING:
    import httpx

    from tenantry.aura.settings import AuraSettings

T = TypeVar("T")

CALL_SECONDS: Final = 300.0
"""How long one call may take with its repetitions and its turn; a caller may give another deadline."""


class AuraClient:
    """A connection to one account; safe to share between threads.

    Each method raises an `AuraError`. A GET and a DELETE are sent again after a failure that may pass; everything else
    only where nothing was done: no connection, or 429.
    """

    def __init__(
        self,
        settings: AuraSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Ask nothing yet.

        :param transport: what carries the requests, for tests
        """
        self.settings = settings
        self.clock = clock or Clock()
        self._wire = Wire(self.clock, transport)
        self._tokens = tokens_of(settings, self._wire, self.clock)
        self._limiter = limiter_of(settings, self.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def tenants(self) -> list[TenantSummary]:
        """List the projects that the credentials see."""
        return _data(self._call("GET", "/tenants"), list[TenantSummary])

    def tenant(self, tenant_id: str) -> Tenant:
        """Return a project with the combinations that its instances may have."""
        return _data(self._call("GET", f"/tenants/{_segment(tenant_id)}"), Tenant)

    def instances(
        self, tenant_id: str, *, deadline: Deadline | None = None
    ) -> list[InstanceSummary]:
        """List a project's instances. Names are not unique in Aura."""
        answer = self._call("GET", "/instances", params={"tenantId": tenant_id}, deadline=deadline)
        return _data(answer, list[InstanceSummary])

    def instance(self, instance_id: str, *, deadline: Deadline | None = None) -> Instance:
        """Return an instance. For seconds after its create the answer may still be AuraNotFoundError."""
        return _data(self._call("GET", _instance(instance_id), deadline=deadline), Instance)

    def create_instance(self, body: dict[str, Any]) -> CreatedInstance:
        """Make an instance; sent once, since there is no way to say the same create twice.

        :param body: `name`, `type`, `cloud_provider`, `region`, `memory`, `version`, `tenant_id`; optional ones as in
            the document
        :raises AuraQuotaError: the account's limit is reached
        :raises AuraLostAnswerError, AuraServerError, AuraUnexpectedAnswerError: it may have been made
            (`errors.AMBIGUOUS`)
        """
        return _data(self._call("POST", "/instances", json=body), CreatedInstance)

    def change_instance(
        self,
        instance_id: str,
        *,
        name: str | None = None,
        memory: str | None = None,
        storage: str | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Rename (at once) or resize (takes a while) an instance."""
        wanted = {"name": name, "memory": memory, "storage": storage}
        body = {key: value for key, value in wanted.items() if value is not None}
        # A resize may answer an empty object: what came of it is to be looked at.
        self._call("PATCH", _instance(instance_id), json=body, deadline=deadline)

    def delete_instance(self, instance_id: str, *, deadline: Deadline | None = None) -> None:
        """Begin to delete an instance; AuraNotFoundError says that it is gone."""
        self._call("DELETE", _instance(instance_id), deadline=deadline)

    def pause_instance(self, instance_id: str, *, deadline: Deadline | None = None) -> None:
        """Begin to pause a running instance."""
        self._call("POST", f"{_instance(instance_id)}/pause", json={}, deadline=deadline)

    def resume_instance(self, instance_id: str, *, deadline: Deadline | None = None) -> None:
        """Begin to resume a paused instance."""
        self._call("POST", f"{_instance(instance_id)}/resume", json={}, deadline=deadline)

    def create_snapshot(self, instance_id: str, *, deadline: Deadline | None = None) -> str:
        """Begin a snapshot and return its id."""
        path = f"{_instance(instance_id)}/snapshots"
        answer = self._call("POST", path, json={}, deadline=deadline)
        return _data(answer, SnapshotId).snapshot_id

    def snapshot(
        self, instance_id: str, snapshot_id: str, *, deadline: Deadline | None = None
    ) -> Snapshot:
        """Return a snapshot."""
        path = f"{_instance(instance_id)}/snapshots/{_segment(snapshot_id)}"
        return _data(self._call("GET", path, deadline=deadline), Snapshot)

    def _call(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline | None = None,
        **request: Any,  # noqa: ANN401 httpx's own
    ) -> Answer:
        until = deadline or Deadline(self.clock, CALL_SECONDS)
        return repeat(
            lambda: self._authorized(method, path, until, request),
            safe=method in {"GET", "DELETE"},
            clock=self.clock,
            deadline=until,
        )

    def _authorized(
        self, method: str, path: str, deadline: Deadline, request: dict[str, Any]
    ) -> Answer:
        # First wait for the turn: a token could expire while this request waits.
        self._limiter.acquire(deadline)
        token = self._tokens.current(deadline)
        try:
            return self._send(method, path, deadline, token, request)
        except AuraCredentialsError:
            # The document says 403 of an expired token, clients have seen 401. Refused is not done: it may be sent
            # again.
            renewed = self._tokens.renew(token, deadline)
            if renewed is None:
                raise
        self._limiter.acquire(deadline)
        return self._send(method, path, deadline, renewed, request)

    def _send(
        self, method: str, path: str, deadline: Deadline, token: str, request: dict[str, Any]
    ) -> Answer:
        try:
            return self._wire.send(
                method,
                f"{self.settings.base_url}{path}",
                deadline,
                shown=path,
                headers={"Authorization": f"Bearer {token}"},
                **request,
            )
        except AuraThrottledError as error:
            if error.refusal.retry_after:
                self._limiter.hold(error.refusal.retry_after)
            raise


def _instance(instance_id: str) -> str:
    return f"/instances/{_segment(instance_id)}"


def _segment(value: str) -> str:
    return quote(value, safe="")


def _data(answer: Answer, kind: type[T]) -> T:
    body = answer.body
    try:
        adapter = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
        data = body["data"] if isinstance(body, dict) else None
        found: Any = (
            adapter.model_validate(data) if adapter else TypeAdapter(kind).validate_python(data)
        )
    except (KeyError, ValidationError) as error:
        # The error's input is left out: it may hold a password.
        where = (
            ".".join(str(step) for step in error.errors(include_input=False)[0]["loc"])
            if isinstance(error, ValidationError)
            else ""
        )
        place = ".".join(part for part in ("data", where) if part)
        raise AuraUnexpectedAnswerError(
            f"Aura: {answer.request}: {answer.status}, and {place} is not what the API's document says; "
            f"is AURA_BASE_URL right? (request {answer.request_id or 'unknown'})"
        ) from None
    result: T = found
    return result
