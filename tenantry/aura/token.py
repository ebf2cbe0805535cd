"""The bearer token: asked for once, shared by all threads and processes of a credential, renewed when it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from tenantry.aura.errors import (
    AuraAnswerError,
    AuraCredentialsError,
    AuraUnexpectedAnswerError,
)
from tenantry.aura.repeating import repeat
from tenantry.aura.shared_file import locked, read_json, write_json

if TYPE_CHECKING:
    from tenantry.aura.clock import Clock, Deadline
    from tenantry.aura.settings import AuraSettings
    from tenantry.aura.wire import Wire

EARLY: Final = 60.0
"""Seconds before its end at which a token is not used any more; of a short-lived one, the last tenth."""
LIFETIME: Final = 3600.0
"""Seconds, where the answer says nothing (Aura documentation, "API overview: authentication")."""
_CLIENT_ERRORS: Final = range(400, 405)
_REFUSED: Final = "the credentials are refused: AURA_CLIENT_ID, AURA_CLIENT_SECRET and AURA_TOKEN_URL must belong together"


class Tokens(Protocol):
    """Where bearer tokens come from."""

    def current(self, deadline: Deadline) -> str:
        """Return a token that should be accepted."""

    def renew(self, refused: str, deadline: Deadline) -> str | None:
        """Return another token than the one that was refused; None where there is none."""


class FixedToken:
    """A token that was given as it is."""

    def __init__(self, token: str) -> None:
        """Hold it."""
        self._token = token

    def current(self, _deadline: Deadline) -> str:
        """Return it."""
        return self._token

    def renew(self, _refused: str, _deadline: Deadline) -> str | None:
        """Return None: nobody can renew it."""
        return None


class ClientCredentials:
    """Tokens of OAuth's client credentials (RFC 6749, 4.4), in a file of mode 0600 until shortly before their end."""

    def __init__(self, settings: AuraSettings, wire: Wire, clock: Clock) -> None:
        """Ask nothing yet."""
        self._settings = settings
        self._wire = wire
        self._clock = clock
        self._file = settings.file("token")
        # The token that this process knows. The file is read again only where that may help.
        self._known: dict[str, Any] = {}

    def current(self, deadline: Deadline) -> str:
        """Return the token that is known, else a new one.

        :raises AuraCredentialsError: the client id or secret is refused
        :raises AuraError: no token could be had
        """
        known = self._known
        return str(known["access_token"]) if self._valid(known) else self._fetch("", deadline)

    def renew(self, refused: str, deadline: Deadline) -> str:
        """Return another token than `refused`: one that another process has got since, else a new one."""
        return self._fetch(refused, deadline)

    def _fetch(self, refused: str, deadline: Deadline) -> str:
        with locked(self._file, self._clock):
            kept = read_json(self._file)
            if not self._valid(kept) or kept["access_token"] == refused:
                kept = self._ask(deadline)
                write_json(self._file, kept)
        self._known = kept
        return str(kept["access_token"])

    def _valid(self, token: dict[str, Any]) -> bool:
        end = token.get("expires_at")
        if not token.get("access_token") or not isinstance(end, int | float):
            return False
        lifetime = float(token.get("lifetime", LIFETIME))
        # It expires later than any token can: the clock was set back.
        return min(EARLY, lifetime / 10) < end - self._clock.wall() <= lifetime

    def _ask(self, deadline: Deadline) -> dict[str, Any]:
        settings = self._settings
        try:
            answer = repeat(
                lambda: self._wire.send(
                    "POST",
                    settings.token_url,
                    deadline,
                    shown="oauth/token",
                    data={"grant_type": "client_credentials"},
                    auth=(settings.client_id, settings.client_secret),
                ),
                safe=True,
                clock=self._clock,
                deadline=deadline,
            )
        except AuraAnswerError as error:
            if error.refusal.status not in _CLIENT_ERRORS:
                raise
            # Not the answer's own words: they may repeat what was sent.
            wrong = replace(error.refusal, message=_REFUSED, reason="", field="")
            raise AuraCredentialsError("POST oauth/token", wrong) from None
        match answer.body:
            case {"access_token": str() as token, **rest} if token:
                lifetime = rest.get("expires_in")
                seconds = float(lifetime) if isinstance(lifetime, int | float) else LIFETIME
                return {
                    "access_token": token,
                    "expires_at": self._clock.wall() + seconds,
                    "lifetime": seconds,
                }
        raise AuraUnexpectedAnswerError(
            f"Aura: POST oauth/token: no access_token in the answer: is AURA_TOKEN_URL right? (status {answer.status})"
        )


def tokens_of(settings: AuraSettings, wire: Wire, clock: Clock) -> Tokens:
    """Return where this credential's tokens come from."""
    if settings.api_token:
        return FixedToken(settings.api_token)
    return ClientCredentials(settings, wire, clock)
