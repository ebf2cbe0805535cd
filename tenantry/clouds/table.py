"""The clouds that there are. A new one has its line here."""

from __future__ import annotations

from typing import Final

from tenantry.clouds.aura import AURA
from tenantry.clouds.cloud import Cloud, DatabaseCloud
from tenantry.clouds.neon import NEON

CLOUDS: Final[tuple[Cloud, ...]] = (NEON, AURA)

USUAL: Final = NEON
"""Where an app's database is if the registry does not say."""


def databases() -> dict[str, DatabaseCloud]:
    """Return the clouds for databases, by name."""
    return {each.name: each for each in CLOUDS if isinstance(each, DatabaseCloud)}


def cloud_of(type_: str) -> Cloud | None:
    """Return the cloud whose projects or instances are resources of a type; None where it is no such type."""
    return next((each for each in CLOUDS if each.type == type_), None)
