import json
from pathlib import Path
from typing import Any

import pytest

from tenantry.clouds import neon

SPEC = Path(__file__).parents[4] / "shared" / "specs" / "neon-openapi.json"


@pytest.mark.parametrize(
    ("cu", "connections"), [(0.25, 97), (0.5, 202), (1, 412), (8, 3350), (9, 3993), (56, 3993)]
)
def test_connections_by_compute_size(cu: float, connections: int) -> None:
    assert neon.available_connections(cu) == connections


def test_aliases_name_regions_that_exist() -> None:
    assert set(neon.REGION_ALIASES.values()) == set(neon.REGIONS)
    assert not set(neon.REGION_ALIASES) & set(neon.REGIONS)


@pytest.mark.skipif(not SPEC.exists(), reason="needs Neon's OpenAPI document")
def test_limits_are_those_of_the_api() -> None:
    schemas: dict[str, Any] = json.loads(SPEC.read_text("utf-8"))["components"]["schemas"]
    project = schemas["ProjectCreateRequest"]["properties"]["project"]["properties"]
    retention = project["history_retention_seconds"]
    assert (retention["minimum"], retention["maximum"]) == neon.RETENTION_SECONDS
    suspend = schemas["SuspendTimeoutSeconds"]
    assert (suspend["minimum"], suspend["maximum"]) == (neon.NEVER, neon.SUSPEND_SECONDS[1])
    assert schemas["ComputeUnit"]["minimum"] == min(neon.FIXED_SIZES)
    versions = schemas["PgVersion"]
    assert versions["maximum"] == max(neon.POSTGRES_VERSIONS)
    assert versions["minimum"] == min(neon.POSTGRES_ENDED)
