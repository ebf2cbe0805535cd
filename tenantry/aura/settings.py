"""How Aura is reached: from a stack's configuration, else from the environment."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tenantry.aura.errors import AuraSettingsError
from tenantry.surroundings import CATALOG
from tenantry.urls import on_this_machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASE_URL: Final = "https://api.neo4j.io/v1"
REQUESTS_PER_MINUTE: Final = 25
"""What Aura allows an account on the free tier; 125 with billing (Aura's "API overview: rate limiting")."""
LANDING_SECONDS: Final = 60.0
STATE_FOLDER: Final = ".tenantry/aura"
_HERE: Final = Path()
_SETTINGS: Final = (
    "clientId",
    "clientSecret",
    "apiToken",
    "tenantId",
    "baseUrl",
    "tokenUrl",
    "requestsPerMinute",
    "pollSeconds",
    "readySeconds",
    "landingSeconds",
    "stateFolder",
)


@dataclass(frozen=True)
class Polling:
    """How an operation of Aura is waited for, in seconds."""

    first: float = 10.0
    """The first pause; each further one is twice as long."""
    most: float = 10.0
    """The longest pause."""
    deadline: float = 900.0
    """Aura says that a create takes up to 10 minutes."""


@dataclass(frozen=True)
class AuraSettings:
    """Where Aura is, who asks, and how fast. Equal settings are one account."""

    tenant_id: str
    """The Aura project (a UUID) that instances are made in; the API calls it a tenant."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    api_token: str = field(default="", repr=False)
    """A bearer token used as it is, in place of client id and secret. It cannot be renewed."""
    base_url: str = BASE_URL
    token_url: str = "https://api.neo4j.io/oauth/token"  # noqa: S105 a URL
    requests_per_minute: int = REQUESTS_PER_MINUTE
    polling: Polling = Polling()
    landing: float = LANDING_SECONDS
    """For so many seconds a create that was not answered may still arrive at Aura."""
    state_folder: Path = Path(STATE_FOLDER)
    """For all processes of this credential: the token (mode 0600), times of requests, creates without an answer."""

    catalog_url: str = field(default="", repr=False)
    """Of the catalog, by which all machines share one pace; empty where the environment names none."""

    @property
    def who(self) -> str:
        """Whose requests are counted together; nothing in it is secret."""
        # The token itself is no part of it: without a client id, all tokens for one API are one.
        return f"{self.client_id or 'token'} {self.token_url if self.client_id else self.base_url}"

    def file(self, kind: str) -> Path:
        """Return the file of this credential in the state folder; no secret is in its name."""
        return self.state_folder / f"{hashlib.sha256(self.who.encode()).hexdigest()[:16]}.{kind}"


def read_settings(
    config: Callable[[str], object] | None,
    environment: Mapping[str, str],
    folder: Path = _HERE,
) -> AuraSettings:
    """Read the settings: `auraClientId` of the stack's configuration, else `AURA_CLIENT_ID` of the environment, ….

    :param config: gives a value of the stack's configuration by its key without the namespace; None where there is no
        stack
    :param folder: where a relative path of the state folder begins; by default the current one
    :raises AuraSettingsError: something is missing, a URL is not https (http only on this machine), a number is none
    """
    found = {name: _value(name, config, environment) for name in _SETTINGS}
    missing = _missing(found)
    if missing:
        raise AuraSettingsError(
            f"Aura: {' and '.join(missing)} not set: set AURA_CLIENT_ID, AURA_CLIENT_SECRET and AURA_TENANT_ID, or "
            "`pulumi config set --secret tenantry:auraClientSecret` and the like"
        )
    base_url = _url("baseUrl", found["baseUrl"] or BASE_URL)
    parts = urlsplit(base_url)
    token_url = found["tokenUrl"] or f"{parts.scheme}://{parts.netloc}/oauth/token"
    return AuraSettings(
        tenant_id=found["tenantId"],
        # A token that is given wins: the other two are then not looked at.
        client_id="" if found["apiToken"] else found["clientId"],
        client_secret="" if found["apiToken"] else found["clientSecret"],
        api_token=found["apiToken"],
        base_url=base_url,
        token_url=_url("tokenUrl", token_url),
        requests_per_minute=int(
            _number("requestsPerMinute", found["requestsPerMinute"] or str(REQUESTS_PER_MINUTE), 1)
        ),
        polling=_polling(found["pollSeconds"], found["readySeconds"]),
        landing=_number("landingSeconds", found["landingSeconds"] or f"{LANDING_SECONDS:g}", 0),
        state_folder=(folder / Path(found["stateFolder"] or STATE_FOLDER).expanduser()).absolute(),
        catalog_url=environment.get(CATALOG, ""),
    )


def names() -> tuple[str, ...]:
    """Return the names of all settings: `clientId`, `clientSecret`, …."""
    return _SETTINGS


def configuration_key(name: str) -> str:
    """Return the stack configuration's name of a setting: `clientId` is `auraClientId`."""
    return f"aura{name[0].upper()}{name[1:]}"


def variable(name: str) -> str:
    """Return the environment's name of a setting: `clientId` is `AURA_CLIENT_ID`."""
    return "AURA_" + re.sub(r"(?=[A-Z])", "_", name).upper()


def _value(
    name: str, config: Callable[[str], object] | None, environment: Mapping[str, str]
) -> str:
    configured = config(configuration_key(name)) if config else None
    value = environment.get(variable(name), "") if configured is None else str(configured)
    return value.strip()


def _missing(found: Mapping[str, str]) -> list[str]:
    needed = ["tenantId"] if found["apiToken"] else ["clientId", "clientSecret", "tenantId"]
    return [variable(name) for name in needed if not found[name]]


def _url(name: str, url: str) -> str:
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and on_this_machine(parts.hostname))
    if not safe or not parts.hostname or parts.username or parts.query or parts.fragment:
        # Not shown: it may hold a password.
        raise AuraSettingsError(
            f"Aura: {variable(name)} must be an https URL of a host and a path (http for this machine only), such as {BASE_URL}"
        )
    return url.rstrip("/")


def _number(name: str, text: str, least: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise AuraSettingsError(
            f"Aura: {variable(name)} must be a number of {least:g} or more, not {text[:40]!r}"
        )
    return number


def _polling(pause: str, deadline: str) -> Polling:
    first, _, most = (pause or f"{Polling.first:g}").partition("-")
    least = _number("pollSeconds", first, 0.01)
    return Polling(
        first=least,
        most=_number("pollSeconds", most, least) if most else least,
        deadline=_number("readySeconds", deadline or f"{Polling.deadline:g}", 1),
    )
