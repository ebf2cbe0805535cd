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
CATALOG_ROLE = "tenantry_catalog"
CATALOG_DATABASE = "tenantry"
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
    """What a data folder keeps: identities, secrets, the port, the plan and the pace.

    ``port`` is 0 until the first start has chosen one. ``clusters`` is the folder of the PostgreSQL data
    directories, empty until the first start has found a place for it; ``catalog_host`` and ``catalog_password`` are
    empty likewise.
    """

    seed: str
    neon_api_key: str
    neon_org_id: str
    user_id: str
    superuser_password: str
    port: int = 0
    plan: str = "scale"
    pace: float = 0.1
    clusters: str = ""
    catalog_host: str = ""
    catalog_password: str = ""
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


def fresh() -> Settings:
    """Return settings of a new data folder, with identities and secrets of its own."""
    seed = secrets.token_hex(8)
    number = int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 100_000_000
    return Settings(
        seed=seed,
        neon_api_key="napi_" + secrets.token_hex(32),
        neon_org_id=f"org-local-cloud-{number:08d}",
        user_id=str(uuid.uuid4()),
        superuser_password=secrets.token_hex(24),
    )


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
