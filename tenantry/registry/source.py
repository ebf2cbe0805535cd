"""Where a registry comes from: its file, or the file and the rows of apps that were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tenantry.registry.loading import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.registry.asked import AskedRow
    from tenantry.registry.models import Registry


@dataclass(frozen=True)
class Reading:
    """A registry as it was read, and what is to be known of apps that are not in it."""

    registry: Registry
    """The file's apps, then those that were asked for."""
    rows: tuple[AskedRow, ...] = ()
    """Every row that was read."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """By its id, why an app that was asked for is not in the registry. It is left as it is; one line each."""
    leaving: frozenset[str] = frozenset()
    """Ids of apps whose deletion was asked for."""
    unread: str = ""
    """Why the rows could not be read, in one line; empty where they were, and where there are none."""

    @property
    def complete(self) -> bool:
        """Whether an app that is not here has left: it may as well be in a row that could not be read."""
        return not self.unread


class RegistrySource(Protocol):
    """Gives one registry to whoever asks, as it is at that moment."""

    def read(self) -> Reading:
        """Read it.

        :raises TenantryError: what was read is no registry
        """


class FileSource:
    """The file alone."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path

    def read(self) -> Reading:
        """Read the file.

        :raises RegistryError: it is not valid
        """
        return Reading(load(self.path))
