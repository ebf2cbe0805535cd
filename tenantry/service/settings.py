"""Settings of the service: a file in TOML, the environment above it, and what must be right before anything starts.

A secret is in the environment alone. `docs/service.md` has the table.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tenantry.errors import TenantryError, did_you_mean, shown
from tenantry.service.sign_in_settings import SignInSettings, SignInSettingsError
from tenantry.service.tokens import Issuer, TokenSettingsError
from tenantry.service.webhook_settings import WebhookSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE: Final = "service.toml"
"""Where the settings are looked for, in the project's folder, where no other file is named."""
ENVIRONMENT: Final = "TENANTRY_SERVICE_"
"""A setting's variable is this and its name in capitals: `TENANTRY_SERVICE_BIND`."""
LOCAL_ISSUER: Final = "TENANTRY_ISSUER_URL"
"""The issuer of the local cloud, which is the only one where no other is named."""
SCRAPER: Final = "TENANTRY_METRICS_TOKEN"
"""The variable with the token of who reads the metrics."""
_PORTS: Final = 65_535


class SettingsError(TenantryError):
    """The service cannot be started so. A line for each mistake."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the service runs."""

    catalog: str = field(repr=False)
    """A libpq URI of the catalog's direct host."""
    folder: Path
    """The folder of `Pulumi.yaml`."""
    issuers: tuple[Issuer, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 0
    """How many operations the worker beside the API does at once; 0: there is none."""
    wait: int = 60
    """Seconds that a request waits for its operation."""
    body_limit: int = 65_536
    """Bytes."""
    requests_per_minute: int = 600
    """Of one caller, at one API process."""
    reads_at_once: int = 4
    """How many reads of a stack's outputs are under way at once; each is a process."""
    stop: int = 30
    """Seconds in which requests may end when the service is stopped."""
    events: int = 300
    """Seconds after which a stream of events ends; who reads it comes back, and goes on from there."""
    one_machine: bool = False
    """Whether API and workers are all on this machine: only then may states be files."""
    worker_metrics: tuple[str, int] | None = None
    """Host and port at which the metrics of the worker beside the API are read; None: nowhere."""
    metrics_token: str = field(default="", repr=False)
    """What a scraper sends as its bearer token, from `TENANTRY_METRICS_TOKEN`; empty: anybody may read the metrics."""
    webhook: WebhookSettings = field(default_factory=WebhookSettings)
    """Who may tell of sign-ups, from `TENANTRY_WEBHOOK_SECRETS` and `TENANTRY_WEBHOOK_SIGNING_SECRETS`."""

    sign_in: SignInSettings | None = None
    """Where people sign in to the page; None where they cannot, but by a link of a local run."""


def read(
    folder: Path,
    catalog: str,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **given: object,
) -> Settings:
    """Read the settings; what is `given` on the command line is above all.

    :param folder: the folder of `Pulumi.yaml`
    :param catalog: a libpq URI of the catalog's direct host
    :param file: the settings' file; by default `service.toml` of the folder, which may be missing
    :param environment: by default this process's
    :param given: by the settings' names, as written; None where nothing was given
    :raises SettingsError: a line for each mistake
    """
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    written = _from_file(folder, file, problems)
    issuers = written.pop("issuers", [])
    sign_in = written.pop("sign_in", None)
    values: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        places = {
            f"{file or folder / FILE}: {name}": written.pop(name, None),
            f"{ENVIRONMENT}{name.upper()}": environment.get(f"{ENVIRONMENT}{name.upper()}"),
            f"--{name.replace('_', '-')}": given.get(name),
        }
        for place, value in places.items():
            if value is None:
                continue
            try:
                values[name] = parse(value)
            except ValueError as error:
                problems.append(f"{place}: {shown(value)}: {error}")
    problems.extend(
        f"{file or folder / FILE}: {name}: is no setting{did_you_mean(name, (*_PARSERS, 'issuers', 'sign_in'))}"
        for name in written
    )
    known = _issuers(issuers, environment, str(file or folder / FILE), problems)
    ways: SignInSettings | None = None
    try:
        ways = SignInSettings.read(sign_in, known, environment) if sign_in is not None else None
    except SignInSettingsError as error:
        problems.append(f"{file or folder / FILE}: sign_in: {error}")
    webhook = WebhookSettings()
    try:
        webhook = WebhookSettings.read(environment)
    except TenantryError as error:
        problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    host, port = values.pop("bind", (Settings.host, Settings.port))
    return Settings(
        catalog=catalog,
        folder=folder,
        issuers=known,
        host=host,
        port=port,
        webhook=webhook,
        sign_in=ways,
        metrics_token=environment.get(SCRAPER, "").strip(),
        **values,
    )


def _from_file(folder: Path, file: Path | None, problems: list[str]) -> dict[str, Any]:
    path = file or folder / FILE
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if file is not None:
            problems.append(f"{path}: does not exist")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: cannot be read: {str(error).splitlines()[0]}")
    return {}


def _issuers(
    written: Any,  # noqa: ANN401  # whatever the file has
    environment: Mapping[str, str],
    file: str,
    problems: list[str],
) -> tuple[Issuer, ...]:
    own = {
        key: value
        for key in _ISSUER
        if (value := environment.get(f"{ENVIRONMENT}{_ISSUER[key]}")) is not None
    }
    if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
        problems.append(f"{file}: issuers: is no list of tables: write [[issuers]] above each")
        written = []
    places = [(f"{file}: issuers, number {n}", each) for n, each in enumerate(written, 1)]
    if own:
        places.append((f"{ENVIRONMENT}{_ISSUER['issuer']}", own))
    if not places and (local := environment.get(LOCAL_ISSUER)):
        jwks = f"{local}/.well-known/jwks.json"
        places.append((LOCAL_ISSUER, {"issuer": local, "audience": "tenantry", "jwks_url": jwks}))
    found = []
    for place, each in places:
        try:
            found.append(_issuer(each, environment))
        except (TokenSettingsError, ValueError) as error:
            problems.append(f"{place}: {error}")
    if not places:
        problems.append(
            f"{file}: issuers: there is none, so no token could be accepted: write [[issuers]] with issuer, audience and "
            "jwks_url"
        )
    names = [each.issuer for each in found]
    problems.extend(
        f"{file}: issuers: {name} is there twice" for name in {*names} if names.count(name) > 1
    )
    return tuple(found)


def _issuer(written: Mapping[str, Any], environment: Mapping[str, str]) -> Issuer:
    values = dict(written)
    if unknown := values.keys() - _ISSUER.keys():
        name = min(unknown)
        raise ValueError(f"{name}: is no setting of an issuer{did_you_mean(name, _ISSUER)}")
    variable = values.pop("secret_from", None)
    algorithms = values.pop("algorithms", None)
    if isinstance(algorithms, str):
        algorithms = algorithms.replace(",", " ").split()
    texts = [*values.values(), *(algorithms or []), *([variable] if variable else [])]
    if not all(isinstance(each, str) for each in texts):
        raise ValueError("its settings are texts; algorithms is a list of them")
    if variable is not None:
        secret = environment.get(variable, "").encode()
        if not secret:
            raise ValueError(f"secret_from: the variable {variable} is not set")
        values |= {"secret": secret, "algorithms": ("HS256",)}
    if algorithms is not None:
        values["algorithms"] = tuple(algorithms)
    return Issuer(**{"issuer": "", "audience": ""} | values)


_ISSUER: Final = {
    "issuer": "ISSUER",
    "audience": "AUDIENCE",
    "jwks_url": "JWKS_URL",
    "secret_from": "SECRET_FROM",
    "algorithms": "ALGORITHMS",
    "tenant_claim": "TENANT_CLAIM",
    "scope_claim": "SCOPE_CLAIM",
}
"""An issuer's settings, and what their variables end with: one issuer may be in the environment."""


def _bind(value: object) -> tuple[str, int]:
    host, colon, port = str(value).rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _PORTS:
        raise ValueError("write HOST:PORT, with a port of 0 to 65535")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # `:8080` asks for just that


def _number(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return int(text)

    return parse


def _flag(value: object) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise ValueError("write true or false")
    return found


_PARSERS: Final[dict[str, Callable[[object], Any]]] = {
    "bind": _bind,
    "workers": _number(0, 64),
    "worker_metrics": _bind,
    "wait": _number(0, 600),
    "body_limit": _number(1_024, 1_048_576),
    "requests_per_minute": _number(1, 1_000_000),
    "reads_at_once": _number(1, 64),
    "stop": _number(0, 3_600),
    "events": _number(1, 86_400),
    "one_machine": _flag,
}
