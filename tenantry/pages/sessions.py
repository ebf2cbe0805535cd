"""Who is signed in: a cookie that we sign and that holds no secret, and the token that each form carries.

A cookie says who asks and what they may, for a working day. It cannot be read by scripts (HttpOnly), is not sent with
another site's forms (SameSite), and outside the loopback only over TLS (Secure, `__Host-`: RFC 6265bis, 4.1.3).
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt

from tenantry.errors import TenantryError
from tenantry.service.tokens import SCOPES, Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

SECONDS: Final = 8 * 3600
"""How long a session lasts; what the caller may do is asked for again at the next one."""
VARIABLE: Final = "TENANTRY_SESSION_KEY"
"""The key of the cookies, where several processes serve one page. Without it each start makes one of its own."""
KEY_BYTES: Final = 32
_ALGORITHM: Final = "HS256"
_SESSION: Final = "session"


class SessionKeyError(TenantryError):
    """The key of the cookies is not safe."""


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in."""

    caller: Caller
    id: str
    """Another one at each sign-in."""
    ends: int
    """Seconds since 1970."""

    @property
    def actor(self) -> str:
        """Who it is, as the audit and the API write it."""
        return f"{self.caller.issuer}|{self.caller.subject}"


class Sessions:
    """Makes and reads the cookies of one page."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        """Take the key.

        :param secure: whether the page is reached over TLS
        """
        self._key = key
        self._secure = secure
        self._prefix = "__Host-" if secure else ""

    @classmethod
    def of(cls, environment: Mapping[str, str], *, secure: bool) -> Sessions:
        """Take the key of the environment, or make one.

        :raises SessionKeyError: it is too short
        """
        given = environment.get(VARIABLE, "").encode()
        if given and len(given) < KEY_BYTES:
            raise SessionKeyError(
                f"is shorter than {KEY_BYTES} bytes",
                place=VARIABLE,
                way_out="write a longer one: openssl rand -hex 32",
            )
        return cls(given or secrets.token_bytes(KEY_BYTES), secure=secure)

    def begin(self, response: Response, caller: Caller) -> None:
        """Sign somebody in."""
        claims = {
            "sub": caller.subject,
            "issuer": caller.issuer,
            "tenant": caller.tenant,
            "scopes": sorted(caller.scopes),
            "jti": secrets.token_urlsafe(16),
        }
        self.put(response, _SESSION, claims, SECONDS)

    def end(self, response: Response) -> None:
        """Sign somebody out, in this browser."""
        self.drop(response, _SESSION)

    def find(self, cookies: Mapping[str, str]) -> Session | None:
        """Return who is signed in; None where nobody is, or not any more."""
        claims = self.take(cookies, _SESSION)
        if claims is None:
            return None
        caller = Caller(
            subject=claims["sub"],
            issuer=claims["issuer"],
            tenant=claims["tenant"],
            scopes=frozenset(scope for scope in SCOPES if scope in claims["scopes"]),
            kind="token",
        )
        return Session(caller, claims["jti"], claims["exp"])

    def form_token(self, session: Session) -> str:
        """Return what a form must carry, so that no other site can have sent it."""
        return hmac.digest(self._key, b"form:" + session.id.encode(), "sha256").hex()

    def is_form_token(self, session: Session, given: str) -> bool:
        """Tell whether a form is one of this session's."""
        return hmac.compare_digest(self.form_token(session).encode(), given.encode())

    def put(self, response: Response, name: str, claims: Mapping[str, Any], seconds: int) -> None:
        """Set a cookie that only we can have made."""
        signed = jwt.encode(
            {**claims, "aud": name, "exp": int(time.time()) + seconds}, self._key, _ALGORITHM
        )
        response.set_cookie(
            f"{self._prefix}tenantry-{name}",
            signed,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            # A sign-in comes back from another site, and then the cookie is needed: `strict` would not send it.
            samesite="lax",
        )

    def take(self, cookies: Mapping[str, str], name: str) -> dict[str, Any] | None:
        """Read a cookie; None where it is not there, is over, or is none of ours."""
        try:
            claims: dict[str, Any] = jwt.decode(
                cookies.get(f"{self._prefix}tenantry-{name}", ""),
                self._key,
                algorithms=[_ALGORITHM],
                audience=name,
                options={"require": ["exp", "aud"]},
            )
        except jwt.PyJWTError:
            return None
        return claims

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(
            f"{self._prefix}tenantry-{name}",
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
