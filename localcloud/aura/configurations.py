"""What the account's one tenant may create: types, clouds, regions and sizes.

The API tells an account's own with ``GET /tenants/{id}``, so these are examples in the shape of real ones; the free
tier's single size is the vendor's (https://neo4j.com/docs/aura/).
"""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.aura.errors import ApiError, Fault

FREE = "free-db"
PROFESSIONAL = "professional-db"
BUSINESS_CRITICAL = "business-critical"
DEDICATED = "enterprise-db"
DATA_SCIENCE = ("professional-ds", "enterprise-ds")
VERSION = "5"

_REGIONS = {
    ("gcp", "europe-west1"): "Belgium (europe-west1)",
    ("gcp", "us-central1"): "Iowa (us-central1)",
    ("gcp", "asia-southeast1"): "Singapore (asia-southeast1)",
    ("aws", "us-east-1"): "US East, N. Virginia (us-east-1)",
    ("aws", "eu-west-1"): "EU, Ireland (eu-west-1)",
    ("azure", "eastus"): "East US (eastus)",
    ("azure", "westeurope"): "West Europe (westeurope)",
}
_FREE_CLOUD = "gcp"
# Memory in GB. Storage follows memory: twice as much.
_SIZES = {
    FREE: (1,),
    PROFESSIONAL: (1, 2, 4, 8, 16, 24, 32, 48, 64),
    BUSINESS_CRITICAL: (2, 4, 8, 16, 24, 32, 48, 64, 128),
    DEDICATED: (2, 4, 8, 16, 24, 32, 48, 64, 128, 256),
    "professional-ds": (8, 16, 24, 32, 48, 64),
    "enterprise-ds": (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384),
}
TYPES = tuple(_SIZES)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One legal combination."""

    type: str
    cloud_provider: str
    region: str
    region_name: str
    version: str
    memory: str
    storage: str


CONFIGURATIONS = [
    Configuration(type_, cloud, region, name, VERSION, f"{size}GB", f"{size * 2}GB")
    for type_, sizes in _SIZES.items()
    for (cloud, region), name in _REGIONS.items()
    if type_ != FREE or cloud == _FREE_CLOUD
    for size in sizes
]


def sizes(type_: str) -> tuple[int, ...]:
    """Return the memory sizes of a type, in GB, the smallest first."""
    return _SIZES[type_]


def choose(
    *,
    type_: str,
    cloud_provider: str,
    region: str,
    version: str,
    memory: str | None,
    storage: str | None = None,
) -> Configuration:
    """Return the legal combination that is asked for. ``memory`` or ``storage`` alone names it.

    Raises ApiError 400, about the first of type, cloud, region, version and size that does not fit those before it.
    """
    left = [each for each in CONFIGURATIONS if each.type == type_]
    for field, value, reason in (
        ("cloud_provider", cloud_provider, "invalid-cloud-provider"),
        ("region", region, "invalid-region"),
        ("version", version, "invalid-version"),
    ):
        fitting = [each for each in left if getattr(each, field) == value]
        if not fitting:
            known = sorted({getattr(each, field) for each in left})
            raise ApiError(
                400,
                Fault(
                    f"{field} {value!r} is not available for {type_}; available: {', '.join(known)}",
                    reason,
                    field,
                ),
            )
        left = fitting
    for each in left:
        if memory in {None, each.memory} and storage in {None, each.storage}:
            return each
    asked = " with ".join(
        f"{name} {value!r}"
        for name, value in (("memory", memory), ("storage", storage))
        if value is not None
    )
    field = "storage" if memory is None or memory in {each.memory for each in left} else "memory"
    offered = ", ".join(f"{each.memory}/{each.storage}" for each in left)
    raise ApiError(
        400,
        Fault(
            f"{asked} is not available for {type_}; available (memory/storage): {offered}",
            "invalid-memory-size",
            field,
        ),
    )
