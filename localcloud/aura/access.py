"""Who asks: HTTP Basic (RFC 7617) and bearer tokens (RFC 6750)."""

from __future__ import annotations

import base64
import binascii


def basic(header: str) -> tuple[str, str] | None:
    """Return user name and password of an Authorization header, or None where it has none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def bearer(header: str) -> str | None:
    """Return the token of an Authorization header, or None where it has none."""
    scheme, _, token = header.partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type header without its parameters; empty where there is none."""
    return content_type.partition(";")[0].strip().lower()
