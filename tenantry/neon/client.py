"""The Neon API as commands need it: what there is, and the deletion of a project that nobody holds."""

from __future__ import annotations

import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

from tenantry.clouds import asking
from tenantry.clouds.cloud import GONE, Live, settings_text
from tenantry.errors import TenantryError
from tenantry.hiding import hidden
from tenantry.retries import RetryPolicy
from tenantry.surroundings import direct_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

API_URL = "https://console.neon.tech/api/v2"
_PAGE: Final = 400
"""Neon API v2, `GET /projects`: limit, 1 to 400."""
_POLICY: Final = RetryPolicy(attempts=6, first_delay=500, factor=2.0, cap=10_000)
"""Seconds; also where `Retry-After` asks for more."""
_AGAIN: Final = {423, 429, 500, 502, 503, 504}
"""What may pass. Only what may be sent twice is sent here: reads, deletions, a new name, a role that may be there."""


class NeonError(TenantryError):
    """The API refused or did not answer; one line."""


class NeonDisturbedError(NeonError):
    """The API did not answer, or said that it cannot at the moment."""

    may_pass = True


class NeonForbiddenError(NeonError):
    """The key, or the account's plan, does not allow it."""


class NeonApi:
    """A connection to Neon's API; safe to share between threads."""

    def __init__(
        self, *, api_key: str, url: str = API_URL, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Ask nothing yet.

        :param transport: what carries the requests, for tests
        """
        import httpx

        self._key = api_key
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=10,
            transport=transport,
            mounts=direct_mounts(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def compute_state(self, project: str) -> str:
        """Return the state of a project's first read-write compute: `init`, `active`, `idle` or `gone`. Wakes none."""
        answer = self.ask("GET", f"/projects/{project}/endpoints")
        if answer is None:
            return GONE
        for endpoint in answer["endpoints"]:
            if endpoint["type"] == "read_write":
                return str(endpoint["current_state"])
        return "no compute"

    def projects(self, organization: str, search: str) -> list[Live]:
        """List an organization's live projects whose name holds a text, a request for each 400.

        :param organization: its id; empty where the key implies it
        """
        parameters = {"limit": str(_PAGE), "search": search}
        if organization:
            parameters["org_id"] = organization
        found: dict[str, Live] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = self.ask("GET", "/projects", parameters | ({"cursor": cursor} if cursor else {}))
            if page is None:
                raise NeonError(
                    f"GET /projects: there is no organization {organization} for this key"
                )
            if page.get("unavailable_project_ids"):
                raise NeonDisturbedError(
                    "GET /projects: Neon cannot list all projects at the moment: try again"
                )
            fresh = [each for each in page["projects"] if each["id"] not in found]
            found |= {each["id"]: as_project(each) for each in fresh}
            # The last page has a cursor too.
            following = page.get("pagination", {}).get("cursor")
            cursor = following if fresh and following else None
        return list(found.values())

    def project(self, project: str) -> Live | None:
        """Return a live project; None where there is none of this id."""
        answer = self.ask("GET", f"/projects/{project}")
        return None if answer is None else as_project(answer["project"])

    def delete_project(self, project: str) -> None:
        """Delete a project; one that is gone already is a success. Neon keeps it for 7 days, recoverable."""
        self.ask("DELETE", f"/projects/{project}")

    def answers(self, organization: str) -> datetime | None:
        """Ask the least that needs the key and the organization, and return the API's time, where it tells one.

        :param organization: as for `projects`
        """
        place = {"org_id": organization} if organization else {}
        answer = self._answer("GET", "/projects", {"limit": "1", **place})
        if answer is None:
            raise NeonError(f"GET /projects: there is no organization {organization} for this key")
        try:
            return parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return None

    def ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Send a request that may be sent twice, and return the answer; None where there is no such thing (404).

        :raises NeonError: the API refuses it, or does not answer
        """
        answer = self._answer(method, path, parameters, body)
        if answer is None:
            return None
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise NeonError(
                f"{method} {answer.request.url.path}: the answer is no JSON; is NEON_API_URL right?"
            ) from None
        return found

    def _once(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 httpx's own
        began = time.monotonic()
        status = None
        try:
            answer = self._client.request(method, path, **request)
            status = answer.status_code
        finally:
            asking.tell("neon", method, path, status, time.monotonic() - began)
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response | None:
        import httpx
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            retry_if_result,
            stop_after_attempt,
        )

        attempts = Retrying(
            retry=retry_if_result(lambda answer: answer.status_code in _AGAIN)
            | retry_if_exception_type((httpx.RemoteProtocolError, httpx.ReadError)),
            stop=stop_after_attempt(_POLICY.attempts),
            wait=_pause,
            # What the last attempt brought.
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            answer: httpx.Response = attempts(
                self._once, method, path, params=parameters, json=body
            )
        except httpx.HTTPError as error:
            raise NeonDisturbedError(
                f"{self._client.base_url}: {hidden(str(error), self._key)}; is NEON_API_URL right, is the local cloud up?"
            ) from None
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.is_error:
            kind = NeonDisturbedError if answer.status_code in _AGAIN else NeonError
            if answer.status_code == HTTPStatus.FORBIDDEN:
                kind = NeonForbiddenError
            raise kind(
                f"{method} {answer.request.url.path}: {answer.status_code} {answer.reason_phrase}{hidden(_said(answer), self._key)}"
                f" (request {answer.headers.get('x-neon-ret-request-id', 'unknown')})"
                + ("; is NEON_API_KEY right?" if answer.status_code in {401, 403} else "")
            )
        return answer


def as_project(found: Mapping[str, Any]) -> Live:
    """Read a project as the API writes it."""
    return Live(
        id=found["id"],
        name=found["name"],
        account=found.get("org_id") or "",
        created=datetime.fromisoformat(found["created_at"]),
        place={"region": found["region_id"], "PostgreSQL": str(found["pg_version"])},
        settings=_settings(found),
    )


_YES_NO: Final[Mapping[bool | None, str]] = {True: "yes", False: "no"}


def _settings(found: Mapping[str, Any]) -> dict[str, str]:
    # By the property that a stack's state has for it.
    compute = found.get("default_endpoint_settings") or {}
    settings = found.get("settings") or {}
    quota = settings.get("quota") or {}
    window = settings.get("maintenance_window") or {}
    told = {
        "historyRetentionSeconds": found.get("history_retention_seconds"),
        **{
            f"defaultEndpointSettings.{name}": compute.get(theirs)
            for name, theirs in (
                ("autoscalingLimitMinCu", "autoscaling_limit_min_cu"),
                ("autoscalingLimitMaxCu", "autoscaling_limit_max_cu"),
                ("suspendTimeoutSeconds", "suspend_timeout_seconds"),
            )
        },
        "allowedIps": (settings.get("allowed_ips") or {}).get("ips"),
        # The plugin says yes and no.
        **{
            name: _YES_NO.get(settings.get(theirs))
            for name, theirs in (
                ("blockPublicConnections", "block_public_connections"),
                ("enableLogicalReplication", "enable_logical_replication"),
            )
        },
        **{
            f"maintenanceWindow.{name}": window.get(theirs)
            for name, theirs in (
                ("weekdays", "weekdays"),
                ("startTime", "start_time"),
                ("endTime", "end_time"),
            )
        },
        # A limit that Neon does not name is none, which the API also writes as 0.
        **{
            f"quota.{name}": quota.get(theirs) or 0
            for name, theirs in (
                ("activeTimeSeconds", "active_time_seconds"),
                ("computeTimeSeconds", "compute_time_seconds"),
                ("writtenDataBytes", "written_data_bytes"),
                ("dataTransferBytes", "data_transfer_bytes"),
                ("logicalSizeBytes", "logical_size_bytes"),
            )
        },
    }
    return settings_text(told)


def _said(answer: httpx.Response) -> str:
    try:
        message = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {message}" if isinstance(message, str) and message else ""


def _pause(state: Any) -> float:  # noqa: ANN401 tenacity's own, which is loaded late
    usual = _POLICY.delay(state.attempt_number)
    if not state.outcome.failed:
        asked = state.outcome.result().headers.get("retry-after", "")
        if asked.isdigit():
            usual = max(usual, float(asked))
    return min(usual, _POLICY.cap / 1000)
