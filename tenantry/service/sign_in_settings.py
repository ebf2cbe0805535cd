"""Where people sign in to the page: an OpenID provider whose tokens the service accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tenantry.errors import TenantryError, did_you_mean
from tenantry.urls import is_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.service.tokens import Issuer

_TEXTS: Final = ("issuer", "client_id", "client_secret_from", "url", "scope", "name")
_NEEDED: Final = ("issuer", "client_id", "url")


class SignInSettingsError(TenantryError):
    """Nobody could sign in with these settings."""


@dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """`[sign_in]` of the settings' file."""

    issuer: Issuer
    """One of those whose tokens are accepted, with its claims."""
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty for a public client, which has its proof of possession (PKCE) alone."""
    secret_from: str = ""
    """The variable that holds it."""
    url: str
    """The page's own, as browsers reach it, without a slash at its end."""
    scope: str = "openid"
    name: str
    """What the button calls the provider."""

    @classmethod
    def read(
        cls,
        written: Any,  # noqa: ANN401  # whatever the file has
        issuers: Sequence[Issuer],
        environment: Mapping[str, str],
    ) -> SignInSettings:
        """Check what the file has.

        :raises SignInSettingsError: it is not enough to sign in with, or not safe
        """
        if not isinstance(written, dict) or not all(isinstance(v, str) for v in written.values()):
            raise SignInSettingsError("is no table of texts")
        if unknown := sorted(written.keys() - set(_TEXTS)):
            raise SignInSettingsError(
                f"{unknown[0]}: is no setting of it{did_you_mean(unknown[0], _TEXTS)}"
            )
        if missing := [name for name in _NEEDED if not written.get(name)]:
            raise SignInSettingsError(f"{missing[0]}: is missing")
        known = {each.issuer: each for each in issuers}
        issuer = known.get(written["issuer"])
        if issuer is None:
            raise SignInSettingsError("issuer: is none of [[issuers]]")
        if issuer.secret or not is_safe(issuer.issuer):
            raise SignInSettingsError(
                "issuer: to sign in, it has an https URL for its name and a key set (jwks_url)"
            )
        url = written["url"].rstrip("/")
        if not is_safe(url) or urlsplit(url).path or urlsplit(url).query:
            raise SignInSettingsError(
                "url: write the page's own, https://HOST without a path; http on the loopback alone"
            )
        scope = written.get("scope", "openid")
        if "openid" not in scope.split():
            raise SignInSettingsError("scope: openid is among its words")
        return cls(
            issuer=issuer,
            client_id=written["client_id"],
            secret_from=written.get("client_secret_from", ""),
            client_secret=_secret(written.get("client_secret_from"), environment),
            url=url,
            scope=scope,
            name=written.get("name") or urlsplit(issuer.issuer).netloc,
        )


def _secret(variable: str | None, environment: Mapping[str, str]) -> str:
    if variable is None:
        return ""
    if not (found := environment.get(variable)):
        raise SignInSettingsError(f"client_secret_from: the variable {variable} is not set")
    return found
