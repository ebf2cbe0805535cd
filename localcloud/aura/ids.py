"""Identifiers and secrets in Aura's shapes."""

from __future__ import annotations

import hashlib
import secrets
import uuid


def instance_id() -> str:
    """Return eight hex digits, e.g. ``2f49c2b3``."""
    return secrets.token_hex(4)


def snapshot_id() -> str:
    """Return a UUID."""
    return str(uuid.uuid4())


def session_id() -> str:
    """Return two groups of hex digits, e.g. ``2f49c2b3-9d1e4a77``."""
    return f"{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def password() -> str:
    """Return an instance's password: 43 characters that need no escaping in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, in hex. The secrets here are random, so no salt and no slow hash are needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
