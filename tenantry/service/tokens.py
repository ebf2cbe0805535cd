"""Whose token this is and what it allows: JSON Web Tokens (RFC 7519, RFC 8725, RFC 9068).

The algorithm comes from the settings and never from the token. An issuer has either public keys (RS256,
ES256, EdDSA) or one secret (HS256), never both, so that nobody can sign with a public key as the secret.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import jwt

from tenantry.errors import TenantryError
from tenantry.registry.names import LABEL
from tenantry.service.jwks import KINDS, KeySet, UnknownKeyError
from tenantry.urls import is_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

Scope: TypeAlias = Literal["apps:read", "apps:write", "apps:secrets", "apps:delete", "fleet:admin"]
"""What a caller may do with the apps of its tenant. `fleet:admin` widens the others to all tenants, and adds the
fleet's own routes."""
SCOPES: Final[frozenset[Scope]] = frozenset(get_args(Scope))
LEEWAY_SECONDS: Final = 30
"""How far our clock may be from the issuer's."""
SECRET_BYTES: Final = 32
"""The shortest secret of HS256 (RFC 7518, section 3.2)."""
MOST_CHARACTERS: Final = 16_384
KEPT: Final = 1_000
"""How many tokens are known that were found good."""
KEPT_SECONDS: Final = 60.0
"""How long that is enough. To verify a token again takes as long as to read an app."""
_REQUIRED: Final = ["iss", "aud", "exp", "sub"]
# The first two are of access tokens and of tokens that say nothing; an ID token or a logout token is none of ours.
_TYPES: Final = {"jwt", "at+jwt", "application/at+jwt"}
_MOST_OF_SUBJECT: Final = 255


class TokenSettingsError(TenantryError):
    """An issuer cannot be as the settings have it."""


class TokenError(TenantryError):
    """A token is not accepted. The reason is of ASCII without quotes (RFC 6750, section 3), and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what for."""

    subject: str
    """1 to 255 printable characters, the same for the same caller of an issuer."""
    issuer: str
    """`iss` of the token; of an API key `catalog:NAMESPACE`."""
    tenant: str | None
    """Whose apps it asks for; None where the token names no tenant."""
    scopes: frozenset[Scope]
    kind: Literal["token", "key"]

    def may(self, scope: Scope) -> bool:
        """Tell whether a scope was given."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Issuer:
    """One whose tokens are accepted, and how they are read."""

    issuer: str
    """`iss`, to the letter."""
    audience: str
    """What `aud` must have among its values."""
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    jwks_url: str = ""
    """Where its public keys are: https, or http on the loopback."""
    secret: bytes = field(default=b"", repr=False)
    """Instead: the secret of HS256, 32 bytes or more."""
    tenant_claim: str = "tenant"
    """A claim, or one within another (`app_metadata.tenant`). A name that has dots itself is found as a whole."""
    scope_claim: str = "scope"
    """A text with spaces between scopes, or a list of them (`permissions`)."""

    def __post_init__(self) -> None:
        """Refuse what cannot be verified safely."""
        if not self.issuer or not self.audience:
            raise self._wrong("an issuer and an audience are needed")
        if bool(self.secret) == bool(self.jwks_url):
            raise self._wrong("it has a key set or a secret, and not both")
        if self.secret:
            if self.algorithms != ("HS256",):
                raise self._wrong("with a secret the algorithm is HS256 alone")
            if len(self.secret) < SECRET_BYTES:
                raise self._wrong(f"its secret is shorter than {SECRET_BYTES} bytes")
        else:
            if not self.algorithms or not set(self.algorithms) <= set(KINDS):
                raise self._wrong(f"with a key set the algorithms are of {', '.join(KINDS)}")
            if not is_safe(self.jwks_url):
                raise self._wrong("its key set has an https URL, or an http one on the loopback")

    def _wrong(self, reason: str) -> TokenSettingsError:
        return TokenSettingsError(reason, place=f"issuer {self.issuer}".strip())


class Tokens:
    """Verifies the tokens of several issuers, for all requests of one event loop."""

    def __init__(self, issuers: Sequence[Issuer], client: httpx.AsyncClient) -> None:
        """Ask nobody yet.

        :param client: for the key sets; whoever made it closes it
        :raises TokenSettingsError: two issuers have one name
        """
        self._issuers = {each.issuer: each for each in issuers}
        if len(self._issuers) < len(issuers):
            raise TokenSettingsError("an issuer is there twice", place="issuers")
        self._keys = {
            each.issuer: KeySet(each.jwks_url, each.algorithms, client)
            for each in issuers
            if each.jwks_url
        }
        # By a digest: a token is a secret, and not kept.
        self._good: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    async def verify(self, text: str) -> Caller:
        """Return who a token speaks for.

        :raises TokenError: it is not good
        :raises KeysAwayError: whether it is good cannot be told now
        """
        now = time.time()
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        caller, until = self._good.get(digest, (None, 0.0))
        if caller is not None and now < until:
            return caller
        caller, ends = await self._verify(text)
        self._good[digest] = (caller, min(now + KEPT_SECONDS, ends + LEEWAY_SECONDS))
        self._good.move_to_end(digest)
        if len(self._good) > KEPT:
            self._good.popitem(last=False)
        return caller

    async def _verify(self, text: str) -> tuple[Caller, float]:
        """Return who a token speaks for, and when it ends."""
        header, claims = _unverified(text)
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise TokenError("its issuer is not one of ours")
        algorithm = header.get("alg")
        if algorithm not in issuer.algorithms:
            raise TokenError("its algorithm is not one of its issuer")
        if "crit" in header:
            raise TokenError("it asks for an extension that is not known here")
        kind = header.get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise TokenError("it is not an access token")
        key = await self._key(issuer, header.get("kid"), algorithm)
        verified = _verified(text, key, algorithm, issuer)
        return _caller(issuer, verified), float(verified["exp"])

    async def _key(self, issuer: Issuer, identity: object, algorithm: str) -> jwt.PyJWK | bytes:
        if issuer.secret:
            return issuer.secret
        if identity is not None and not isinstance(identity, str):
            raise TokenError("its key id is no text")
        try:
            return await self._keys[issuer.issuer].key(identity, algorithm)
        except UnknownKeyError:
            raise TokenError("its issuer has no such key") from None


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims as they are said: enough to find who could have signed them."""
    if len(text) > MOST_CHARACTERS:
        raise TokenError("it is too long")
    try:
        found = jwt.decode_complete(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        # Not chained: the cause may quote what was sent.
        raise TokenError("it has not the form of a token") from None
    return found["header"], found["payload"]


def _verified(text: str, key: jwt.PyJWK | bytes, algorithm: str, issuer: Issuer) -> dict[str, Any]:
    reason = "it is not valid"
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            # One of the settings': `verify` has looked.
            algorithms=[algorithm],
            audience=issuer.audience,
            issuer=issuer.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except jwt.ExpiredSignatureError:
        reason = "it has expired"
    except jwt.ImmatureSignatureError:
        reason = "it is not valid yet"
    except jwt.InvalidAudienceError:
        reason = "it is for another audience"
    except jwt.InvalidSignatureError:
        reason = "its signature is wrong"
    except jwt.MissingRequiredClaimError as error:
        reason = f"it has no {error.claim}"
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        pass
    else:
        return claims
    raise TokenError(reason)


def _caller(issuer: Issuer, claims: dict[str, Any]) -> Caller:
    subject = claims["sub"]
    if not 0 < len(subject) <= _MOST_OF_SUBJECT or not subject.isprintable():
        raise TokenError("its subject is not of 1 to 255 printable characters")
    tenant = _claim(claims, issuer.tenant_claim)
    if tenant is not None and not (isinstance(tenant, str) and LABEL.fullmatch(tenant)):
        raise TokenError("its tenant is no name of a tenant")
    return Caller(
        subject=subject,
        issuer=issuer.issuer,
        tenant=tenant,
        scopes=_scopes(_claim(claims, issuer.scope_claim)),
        kind="token",
    )


def _claim(claims: dict[str, Any], path: str) -> object:
    """Return a claim, or one within others; None where there is none."""
    if path in claims:
        return claims[path]
    found: object = claims
    for step in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(step)
    return found


def _scopes(given: object) -> frozenset[Scope]:
    """Return those of our scopes that a claim has: a token may have those of other services as well."""
    match given:
        case str():
            words: list[object] = [*given.split(" ")]
        case list():
            words = given
        case _:
            words = []
    return frozenset(scope for scope in SCOPES if scope in words)
