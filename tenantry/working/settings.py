"""What a worker is told."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tenantry.selfservice.claims import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from pathlib import Path

NAME: Final = "TENANTRY_WORKER"
"""The variable that names a worker. Without it, the host's name and a few random letters are its name."""


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """One worker."""

    catalog_url: str = field(repr=False)
    """A libpq URI of the catalog's direct host."""
    folder: Path
    """The folder of `Pulumi.yaml` and the registry."""
    environment: Mapping[str, str] = field(repr=False)
    """The variables of its runs: backend, passphrase, keys of the clouds."""
    slots: int
    """How many operations at once."""
    name: str = ""
    """Unique among all workers; by default the host's name with a few random letters."""
    lease: Lease = field(default_factory=Lease)
    finish_seconds: float = 600.0
    """How long what is under way may take when the worker is to end."""
    attempts: int
    """How often an operation is tried that failed for a reason which may pass."""
    pause: timedelta
    """How long is waited between two attempts."""

    look_seconds: float = 3600.0
    """How often it is looked for drift, by one worker of all; 0: never."""
    metrics: tuple[str, int] | None = None
    """Host and port at which its metrics are read; None: nowhere."""

    def named(self) -> str:
        """Return its name."""
        return self.name or f"{socket.gethostname()}-{secrets.token_hex(3)}"


def worker_name(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name that the environment gives; empty where it gives none."""
    return environment.get(NAME, "")
