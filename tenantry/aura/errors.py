"""What can go wrong with Aura: one line each, without a password, a token or a secret."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from tenantry.errors import TenantryError

_TEXT_LENGTH: Final = 300


class AuraError(TenantryError):
    """Aura, or the way to it, did not do what was asked."""


class AuraSettingsError(AuraError):
    """Credentials, a URL or a number that is missing or cannot be used."""


class AuraStateError(AuraError):
    """The folder that holds the token and the request log cannot be used."""


class AuraDeadlineError(AuraError):
    """There is no time left to go on."""

    may_pass = True


class AuraUnreachableError(AuraError):
    """No connection: nothing was sent."""

    may_pass = True


class AuraLostAnswerError(AuraError):
    """The request was sent, and its answer did not come: it may have had its effect."""

    may_pass = True


class AuraUnexpectedAnswerError(AuraError):
    """An answer that is not what the API's document says: the request may have had its effect."""


class InstanceError(AuraError):
    """An instance that cannot be made, changed, waited for or deleted; the text says what to do."""


class UnfinishedError(InstanceError):
    """What was wanted of an instance has not come about in its time; the next run looks, and goes on."""

    may_pass = True


@dataclass(frozen=True)
class Refusal:
    """What an answer of status 400 or above says."""

    status: int
    message: str
    reason: str = ""
    """The category in the API's words, such as `db-not-found`."""
    field: str = ""
    """The property of the request that it is about."""
    request_id: str = ""
    retry_after: float | None = None
    """Seconds, from `Retry-After`."""


class AuraAnswerError(AuraError):
    """Aura said no. The text has the request, the status, the reason, the field and the request's id."""

    def __init__(self, request: str, refusal: Refusal) -> None:
        """Make it of `GET /instances` and the refusal."""
        about = [
            f"reason {refusal.reason}" if refusal.reason else "",
            f"field {refusal.field}" if refusal.field else "",
            f"request {refusal.request_id}" if refusal.request_id else "",
        ]
        details = ", ".join(part for part in about if part)
        said = f"Aura: {request}: {refusal.status} {refusal.message}"
        super().__init__(f"{said} ({details})" if details else said)
        self.refusal = refusal


class AuraCredentialsError(AuraAnswerError):
    """401 or 403: the credentials are refused, or may not do this."""


class AuraNotFoundError(AuraAnswerError):
    """404, or 410."""


class AuraQuotaError(AuraAnswerError):
    """405 on a create: the account's limit of instances is reached."""


class AuraConflictError(AuraAnswerError):
    """409: another operation is under way, or the state does not allow this one."""


class AuraUnsupportedError(AuraAnswerError):
    """420: not for an instance of this tier."""


class AuraThrottledError(AuraAnswerError):
    """429: too many requests. Nothing was done."""

    may_pass = True


class AuraServerError(AuraAnswerError):
    """500 and above: the request may have had its effect."""

    may_pass = True


_BY_STATUS: Final[dict[int, type[AuraAnswerError]]] = {
    401: AuraCredentialsError,
    403: AuraCredentialsError,
    404: AuraNotFoundError,
    405: AuraQuotaError,
    409: AuraConflictError,
    410: AuraNotFoundError,
    420: AuraUnsupportedError,
    429: AuraThrottledError,
}
AMBIGUOUS: Final = (AuraLostAnswerError, AuraUnexpectedAnswerError, AuraServerError)
"""After these a request may have had its effect."""


def refused(
    request: str,
    status: int,
    body: object,
    *,
    request_id: str = "",
    retry_after: float | None = None,
) -> AuraAnswerError:
    """Make the error of an answer.

    The document knows `{"errors": [{"message", "reason", "field"?}]}` and the gateway's `{"error": "text"}`. Proxies
    send plain text. The first of several errors counts.

    :param request: method and path
    :param body: the answer's JSON, else its text
    """
    message, reason, field = _said(body)
    refusal = Refusal(status, message or _phrase(status), reason, field, request_id, retry_after)
    kind = AuraServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else AuraAnswerError
    return _BY_STATUS.get(status, kind)(request, refusal)


def _said(body: object) -> tuple[str, str, str]:
    match body:
        case {"errors": [dict() as first, *_]}:
            return (
                _line(first.get("message")),
                _line(first.get("reason")),
                _line(first.get("field")),
            )
        case {"error": str() as code, "error_description": str() as text}:  # RFC 6749, 5.2
            return _line(text), _line(code), ""
        case {"error": str() as text} | {"message": str() as text}:
            return _line(text), "", ""
        case str():
            # A page of a proxy: its markup says nothing to an operator.
            return ("" if body.lstrip().startswith("<") else _line(body)), "", ""
        case _:
            return "", "", ""


def _line(value: Any) -> str:  # noqa: ANN401 any JSON value
    return " ".join(str(value).split())[:_TEXT_LENGTH] if value else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a word"
