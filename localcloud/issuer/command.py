"""``localcloud token``: a token of the local issuer."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from localcloud.facts import Facts

_SECONDS = 3600
_LONGEST = 365 * 86_400


class TokenError(Exception):
    """No token can be made; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and when it ends."""

    token: str
    expires_at: int
    """Unix seconds."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``localcloud token``."""
    parser.add_argument("--tenant", metavar="NAME", help="the claim tenant (default: none)")
    parser.add_argument(
        "--scope",
        default="apps:read apps:write",
        metavar="SCOPES",
        help='the claim scope, with a space between scopes (default: "apps:read apps:write")',
    )
    parser.add_argument(
        "--subject", default="local", metavar="NAME", help="the claim sub (default: local)"
    )
    parser.add_argument(
        "--audience", default="tenantry", metavar="NAME", help="the claim aud (default: tenantry)"
    )
    parser.add_argument(
        "--seconds",
        type=int,
        default=_SECONDS,
        metavar="N",
        help=f"how long it lives; below 0 it has expired (default: {_SECONDS})",
    )


def make(facts: Facts, options: argparse.Namespace) -> Token:
    """Sign a token of a running local cloud. Raises TokenError."""
    if not facts.issuer_url:
        raise TokenError(
            "the local cloud was started by an older version and has no issuer: localcloud stop, then localcloud start"
        )
    if abs(options.seconds) > _LONGEST:
        raise TokenError(f"--seconds: must be a number from -{_LONGEST} to {_LONGEST}")
    # Imported here: the other commands answer in less time than this takes to load.
    import jwt

    from localcloud.issuer.keys import ALGORITHM, key_id, signing_key

    try:
        key = signing_key(Path(facts.data))
    except (OSError, ValueError) as error:
        raise TokenError(f"the issuer's key cannot be read: {error}") from error
    now = int(time.time())
    claims = {
        "iss": facts.issuer_url,
        "aud": options.audience,
        "sub": options.subject,
        "scope": options.scope,
        "iat": min(now, now + options.seconds),
        "exp": now + options.seconds,
        "jti": str(uuid.uuid4()),
    }
    if options.tenant:
        claims["tenant"] = options.tenant
    headers = {"kid": key_id(key), "typ": "at+jwt"}
    return Token(jwt.encode(claims, key, ALGORITHM, headers), now + options.seconds)
