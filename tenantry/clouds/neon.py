"""What Neon offers and refuses, as far as it is known without asking it.

Sources: Neon's API v2 OpenAPI document (limits of fields), its documentation pages "Regions",
"Manage computes", "Connection pooling" and "Supported Postgres extensions". A limit that depends on
the account's plan is not checked here: only Neon knows the plan.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tenantry.clouds.cloud import Account, DatabaseCloud, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS: Final = (
    "aws-us-east-1",
    "aws-us-east-2",
    "aws-us-west-2",
    "aws-eu-central-1",
    "aws-eu-west-2",
    "aws-ap-southeast-1",
    "aws-ap-southeast-2",
    "aws-sa-east-1",
    "azure-eastus2",
    "azure-westus3",
    "azure-gwc",
)
# The cloud's own name of a region, where only one of Neon's regions can be meant. Azure's name for
# Neon's `gwc` is germanywestcentral.
REGION_ALIASES: Final = {region.partition("-")[2]: region for region in REGIONS} | {
    "germanywestcentral": "azure-gwc",
    "azure-germanywestcentral": "azure-gwc",
}

PROJECT_ID: Final = re.compile("[a-z0-9-]{1,60}")
"""Neon API v2, `project_id` in a path."""

POSTGRES_VERSIONS: Final = (15, 16, 17, 18)
POSTGRES_ENDED: Final = {14: "2026-11-12"}
"""Major versions that Neon still makes but PostgreSQL no longer maintains, with their last day."""

AUTOSCALING_SIZES: Final = (0.25, 0.5, *(float(n) for n in range(1, 17)))
"""Compute Units (CU) that a compute may scale between; 1 CU is about 4 GB of memory."""
FIXED_SIZES: Final = (*AUTOSCALING_SIZES, *(float(n) for n in range(18, 57, 2)))
"""CU of a compute that does not scale (min = max)."""
AUTOSCALING_SPAN: Final = 8.0
"""The most CU between the two ends of a scaling range."""

SUSPEND_SECONDS: Final = (60, 604_800)
"""Least and most seconds of idleness before a compute is suspended."""
NEVER: Final = -1
"""Neon's `suspend_timeout_seconds` for a compute that is never suspended."""
RETENTION_SECONDS: Final = (0, 2_592_000)
"""Least and most seconds of history (`history_retention_seconds`)."""

QUOTA_SECONDS_MOST: Final = 31_536_000_000
"""Most seconds of a quota: ours, a thousand years of compute. Neon's is that of an int64."""
QUOTA_BYTES_MOST: Final = 1024**5
"""Most bytes of a quota: ours, a PB. It passes the engine's numbers (float64) unchanged; Neon's is that of an int64."""

RESERVED_CONNECTIONS: Final = 7
"""Connections that Neon keeps for itself on every compute."""
_CONNECTIONS: Final = {0.25: 104, 0.5: 209, 1.0: 419, 2.0: 839, 3.0: 1258, 4.0: 1678}
_CONNECTIONS_LARGER: Final = {5.0: 2098, 6.0: 2517, 7.0: 2937, 8.0: 3357}
_CONNECTIONS_MOST: Final = 4000


def available_connections(cu: float) -> int:
    """Return how many connections a compute of `cu` Compute Units leaves to applications."""
    table = _CONNECTIONS | _CONNECTIONS_LARGER
    return table.get(cu, _CONNECTIONS_MOST) - RESERVED_CONNECTIONS


EXTENSIONS: Final = frozenset(
    [
        "address_standardizer",
        "address_standardizer_data_us",
        "anon",
        "autoinc",
        "bloom",
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dblink",
        "dict_int",
        "earthdistance",
        "fuzzystrmatch",
        "h3",
        "h3_postgis",
        "hll",
        "hstore",
        "hypopg",
        "insert_username",
        "intagg",
        "intarray",
        "ip4r",
        "isn",
        "lo",
        "ltree",
        "moddatetime",
        "neon",
        "neon_utils",
        "online_advisor",
        "pg_cron",
        "pg_graphql",
        "pg_hashids",
        "pg_hint_plan",
        "pg_ivm",
        "pg_jsonschema",
        "pg_mooncake",
        "pg_partman",
        "pg_prewarm",
        "pg_repack",
        "pg_roaringbitmap",
        "pg_search",
        "pg_session_jwt",
        "pg_stat_statements",
        "pg_tiktoken",
        "pg_trgm",
        "pg_uuidv7",
        "pg_walinspect",
        "pgcrypto",
        "pgjwt",
        "pgrouting",
        "pgrowlocks",
        "pgstattuple",
        "pgtap",
        "pgx_ulid",
        "plcoffee",
        "plls",
        "plpgsql_check",
        "plv8",
        "postgis",
        "postgis_raster",
        "postgis_sfcgal",
        "postgis_tiger_geocoder",
        "postgis_topology",
        "postgres_fdw",
        "prefix",
        "rdkit",
        "refint",
        "rum",
        "seg",
        "semver",
        "sslinfo",
        "tablefunc",
        "tcn",
        "timescaledb",
        "tsm_system_rows",
        "tsm_system_time",
        "unaccent",
        "unit",
        "uuid-ossp",
        "vector",
        "wal2json",
        "xml2",
    ]
)
"""Extensions that Neon documents: the source of suggestions, not a closed list."""
BUILT_IN_EXTENSIONS: Final = ("plpgsql",)
"""Extensions that every database has from the start (PostgreSQL's `template1`).

They belong to the superuser, so no role of a Neon customer can drop them. One that was declared could never be removed.
"""

PROJECT: Final = "neon:index/project:Project"
BRANCH: Final = "neon:index/branch:Branch"
ADOPTION: Final = "pulumi-python:dynamic/tenantry:Adoption"
ENDPOINT: Final = "neon:index/endpoint:Endpoint"
PROTECTION: Final = "pulumi-python:dynamic/tenantry:Protection"
EXPIRY: Final = "pulumi-python:dynamic/tenantry:Expiry"


def _settings(inputs: Mapping[str, Any]) -> dict[str, object]:
    compute = inputs.get("defaultEndpointSettings") or {}
    # Of these only what is asked for counts. The others may be as they are.
    lasting = {
        f"{above}.{name}": value
        for above in ("maintenanceWindow", "quota")
        for name, value in (inputs.get(above) or {}).items()
        if not name.startswith("__")
    }
    return {
        "historyRetentionSeconds": inputs.get("historyRetentionSeconds"),
        **{
            f"defaultEndpointSettings.{name}": compute.get(name)
            for name in ("autoscalingLimitMinCu", "autoscalingLimitMaxCu", "suspendTimeoutSeconds")
        },
        # Without a list of its own every address is let in, which Neon says with an empty one.
        "allowedIps": inputs.get("allowedIps") or [],
        "blockPublicConnections": inputs.get("blockPublicConnections"),
        "enableLogicalReplication": inputs.get("enableLogicalReplication"),
        **lasting,
    }


NEON: Final = DatabaseCloud(
    name="neon",
    title="Neon",
    noun="project",
    type=PROJECT,
    client="tenantry.neon.looking",
    component="components.neon",
    account=Account("tenantry:neonOrgId", "NEON_ORG_ID", "orgId"),
    url="NEON_API_URL",
    secrets=("NEON_API_KEY",),
    place={"region": "regionId", "PostgreSQL": "pgVersion"},
    settings=_settings,
    makes_again=True,
    regaining="recover it in Neon (7 days), or make an empty one",
    looks_first=(BRANCH, ENDPOINT),
    within=frozenset({BRANCH}),
    kinds={
        ADOPTION: Kind("adoption", {"*": ("adopt",)}),
        PROJECT: Kind(
            "project",
            {
                "allowedIps": ("database.allowed_ips",),
                "blockPublicConnections": ("database.block_public_connections",),
                "defaultEndpointSettings": ("database.compute",),
                "enableLogicalReplication": ("database.logical_replication",),
                "historyRetentionSeconds": ("database.history_retention",),
                "maintenanceWindow": ("database.maintenance_window",),
                "name": ("namespace", "id"),
                "pgVersion": ("database.postgres_version",),
                "quota": ("database.quota",),
                "regionId": ("region",),
            },
            lost="project {} and all data in it",
        ),
        PROTECTION: Kind("protection of main", {"*": ("database.protected",)}),
        EXPIRY: Kind("last day of the branch", {"*": ("database.branches",)}),
        BRANCH: Kind("branch", {"*": ("database.branches",)}, lost="branch {} and its data"),
        ENDPOINT: Kind("compute of the branch", {"*": ("database.branches", "database.compute")}),
    },
    regions=REGIONS,
    region_aliases=REGION_ALIASES,
    postgres_versions=POSTGRES_VERSIONS,
    extensions=EXTENSIONS,
    keys=frozenset(
        {
            *("block_public_connections", "branches", "compute", "history_retention"),
            *("logical_replication", "maintenance_window", "protected", "quota"),
        }
    ),
)
