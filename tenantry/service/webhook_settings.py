"""Whom the sign-up webhook believes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError
from tenantry.notifying.signatures import secret_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRETS: Final = "TENANTRY_WEBHOOK_SECRETS"
"""The variable with the secret that a database webhook sends in a header, or two with a space between: the new one and
the one before, while a sender is moved from one to the other."""
SIGNING: Final = "TENANTRY_WEBHOOK_SIGNING_SECRETS"
"""The variable with the secrets of auth hooks (`v1,whsec_…`), likewise."""
MOST: Final = 2
LEAST_CHARACTERS: Final = 32
"""Of a secret in a header: half of it is as much as a random one needs to be safe from guesses."""


class WebhookSettingsError(TenantryError):
    """A secret of the sign-up webhook cannot be used; the message does not hold it."""


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """The secrets of who may tell of sign-ups. Without any, nobody may."""

    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    signing: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def on(self) -> bool:
        """Whether anybody may."""
        return bool(self.secrets or self.signing)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> WebhookSettings:
        """Read the secrets from the environment.

        :raises WebhookSettingsError, SecretFormError: one is too short, has another form, or there are too many
        """
        shared, signing = (
            _words(environment.get(SECRETS), SECRETS),
            _words(environment.get(SIGNING), SIGNING),
        )
        for each in shared:
            if len(each) < LEAST_CHARACTERS:
                raise WebhookSettingsError(
                    f"a secret is shorter than {LEAST_CHARACTERS} characters",
                    place=SECRETS,
                    way_out="make one: openssl rand -hex 32",
                )
        return cls(
            secrets=tuple(each.encode() for each in shared),
            signing=tuple(secret_of(each, SIGNING) for each in signing),
        )


def _words(text: str | None, place: str) -> list[str]:
    words = (text or "").split()
    if len(words) > MOST:
        raise WebhookSettingsError(
            f"it holds {len(words)} secrets, and two are the most",
            place=place,
            way_out="keep the new one and the one before",
        )
    return words
