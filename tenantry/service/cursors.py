"""Where a page ends: an opaque text that names the last app of it."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tenantry.service.problems import ProblemError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BYTES = 24


def cursor(created_at: datetime, identity: UUID) -> str:
    """Return the cursor behind an app."""
    micros = (created_at - _EPOCH) // timedelta(microseconds=1)
    packed = micros.to_bytes(8, "big") + identity.bytes
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def position(text: str) -> tuple[datetime, UUID]:
    """Return what a cursor says.

    :raises ProblemError: 422: it is none of ours
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _none_of_ours() from None
    if len(packed) != _BYTES:
        raise _none_of_ours()
    try:
        created = _EPOCH + timedelta(microseconds=int.from_bytes(packed[:8], "big"))
    except OverflowError:
        raise _none_of_ours() from None
    return created, UUID(bytes=packed[8:])


def _none_of_ours() -> ProblemError:
    return ProblemError(
        422,
        "invalid-request",
        "The request is not valid",
        "query.cursor: is no cursor of this service: send next_cursor of the page before, or none",
        errors=[{"in": "query", "parameter": "cursor", "detail": "is no cursor of this service"}],
    )
