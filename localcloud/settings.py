"""The data folder: its marker file, which also keeps what must stay the same between starts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
MARKER = "localcloud.json"
CA_FILE = "tls/ca.pem"
"""Where in the data folder the certificate is with which clients verify the servers (``sslrootcert``)."""
CATALOG_ROLE = "tenantry_catalog"
CATALOG_DATABASE = "tenantry"
NEO4J_VARIABLE = "LOCALCLOUD_NEO4J_URL"
"""The environment's name for the URL of a Neo4j that answers the Aura instances' queries; never kept."""
_MARKER_KIND = "localcloud data"
_POSTGRES_PORT = 5432


class DataFolderError(Exception):
    """The data folder cannot be used; the message is one line and says what to do."""


def not_a_folder(data: Path) -> DataFolderError:
    """Return the error for a data folder in whose place, or above it, there is something else."""
    culprit = next(
        (path for path in (data, *data.parents) if os.path.lexists(path) and not path.is_dir()),
        data,
    )
    return DataFolderError(f"{culprit}: is not a folder; give another --data, or move it away")


@dataclass(slots=True)
class Settings:
    """What a data folder keeps: identities, secrets, ports, the plan, the pace, and how the Aura API behaves.

    A port is 0 until the first start has chosen one. ``clusters`` is the folder of the PostgreSQL data
    directories, empty until the first start has found a place for it; ``catalog_host`` and ``catalog_password`` are
    empty likewise, and ``extensions``, which databases can have, is None. The identities of the Aura API are empty in a
    folder from before there was one, until a start has called :func:`complete`. ``hosts`` says in words what hosts new
    endpoints get; names only where ``domain`` is set.
    """

    seed: str
    neon_api_key: str
    neon_org_id: str
    user_id: str
    superuser_password: str
    port: int = 0
    plan: str = "scale"
    pace: float = 0.1
    neon_rate_limit: int = 700
    neon_retry_after: str = "seconds"
    clusters: str = ""
    domain: str = ""
    hosts: str = "addresses"
    catalog_host: str = ""
    catalog_password: str = ""
    extensions: list[str] | None = None
    aura_client_id: str = ""
    aura_client_secret: str = ""
    aura_tenant_id: str = ""
    aura_port: int = 0
    aura_create_seconds: float = 2.0
    aura_change_seconds: float = 1.0
    aura_lag_seconds: float = 0.5
    aura_token_seconds: int = 3600
    aura_rate_limit: int = 10_000
    aura_retry_after: str = "seconds"
    issuer_port: int = 0
    format: int = FORMAT
    kind: str = _MARKER_KIND

    @property
    def catalog_url(self) -> str:
        """The control plane's database; empty until a start has claimed its address."""
        if not self.catalog_host:
            return ""
        return (
            f"postgresql://{CATALOG_ROLE}:{self.catalog_password}@{self.catalog_host}:{_POSTGRES_PORT}/"
            f"{CATALOG_DATABASE}?sslmode=require"
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """What a start is asked to set; None leaves it as the data folder has it.

    ``neon_rate_limit``: requests a minute, 0 for no limit. ``*_retry_after``: how a 429 says when to come back,
    ``seconds``, ``date`` or ``none``. ``aura_*_seconds``: how long an instance is being created, how long any other
    operation takes, how long a GET does not find a new instance (and does not show a resize), how long a token lives.
    ``aura_rate_limit``: requests a minute. ``domain``: below it are the hosts of new endpoints; empty for addresses.
    """

    port: int | None = None
    plan: str | None = None
    pace: float | None = None
    neon_rate_limit: int | None = None
    neon_retry_after: str | None = None
    aura_port: int | None = None
    aura_create_seconds: float | None = None
    aura_change_seconds: float | None = None
    aura_lag_seconds: float | None = None
    aura_token_seconds: int | None = None
    aura_rate_limit: int | None = None
    aura_retry_after: str | None = None
    domain: str | None = None
    issuer_port: int | None = None

    def made(self) -> dict[str, int | float | str]:
        """Return the choices that were made."""
        return {
            name: value for name, value in dataclasses.asdict(self).items() if value is not None
        }

    def arguments(self) -> list[str]:
        """Return the choices as options of ``localcloud start``."""
        return [
            word
            for name, value in self.made().items()
            for word in (f"--{name.replace('_', '-')}", str(value))
        ]

    def apply(self, settings: Settings) -> None:
        """Put the choices into settings."""
        for name, value in self.made().items():
            setattr(settings, name, value)


def fresh() -> Settings:
    """Return settings of a new data folder, with identities and secrets of its own."""
    seed = secrets.token_hex(8)
    number = int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 100_000_000
    settings = Settings(
        seed=seed,
        neon_api_key="napi_" + secrets.token_hex(32),
        neon_org_id=f"org-local-cloud-{number:08d}",
        user_id=str(uuid.uuid4()),
        superuser_password=secrets.token_hex(24),
    )
    complete(settings)
    return settings


def complete(settings: Settings) -> None:
    """Give the Aura API's identities to settings that have none yet."""
    settings.aura_client_id = settings.aura_client_id or secrets.token_urlsafe(24)
    settings.aura_client_secret = settings.aura_client_secret or secrets.token_urlsafe(48)
    settings.aura_tenant_id = settings.aura_tenant_id or str(uuid.uuid4())


def load(data: Path) -> Settings | None:
    """Read the settings of a data folder; None where there are none yet.

    Raises DataFolderError if the marker cannot be read or was written by a newer version.
    """
    marker = data / MARKER
    try:
        document = json.loads(marker.read_text())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise not_a_folder(data) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataFolderError(
            f"{marker}: cannot be read ({reason}); give another --data, or remove the folder by hand"
        ) from error
    if not isinstance(document, dict) or document.get("kind") != _MARKER_KIND:
        raise DataFolderError(f"{marker}: is not a local cloud's marker; give another --data")
    if int(document.get("format", 0)) > FORMAT:
        raise DataFolderError(
            f"{marker}: has format {document['format']}, newer than the {FORMAT} that this version knows; "
            "upgrade, or give another --data"
        )
    known = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{name: value for name, value in document.items() if name in known})


def save(data: Path, settings: Settings) -> None:
    """Write the settings so that a reader sees the old or the new file, never a part. Owner-only: it holds keys."""
    marker = data / MARKER
    draft = marker.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dataclasses.asdict(settings), file, indent=1)
        file.write("\n")
    draft.replace(marker)
