"""What Neo4j Aura offers and refuses, as far as it is known without asking it.

Source: the Aura API v1 (types, clouds, the form of `memory`) and the vendor's description of the free
tier. Which regions and sizes an account may use is told by the API only (`GET /tenants/{id}`).
"""

from typing import Final

from tenantry.clouds.cloud import Account, Cloud, Kind

FREE: Final = "free-db"
FREE_CLOUD: Final = "gcp"
FREE_MEMORY: Final = "1GB"
VERSIONS: Final = ("5",)
"""`5` stands for the newest calendar version; the API takes no other."""
MEMORY_LIMITS_GB: Final = (1, 512)
REGION_PATTERN: Final = r"^[a-z][a-z0-9-]{1,62}$"
USER_PATTERN: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9._@|+-]{0,126}[A-Za-z0-9])?$"
"""Ids as identity providers give them: UUIDs, mail addresses, `auth0|5f7c…`. No character is special in a path."""
FREE_INSTANCES: Final = 1
"""How many of the free tier an account may have."""

INSTANCE: Final = "pulumi-python:dynamic/tenantry:AuraInstance"
INSTANCE_READY: Final = "pulumi-python:dynamic/tenantry:AuraReady"
_GRAPHS: Final = ("graph", "graphs_per_user")

AURA: Final = Cloud(
    name="aura",
    title="Aura",
    noun="graph",
    type=INSTANCE,
    client="tenantry.aura.looking",
    account=Account("tenantry:auraTenantId", "AURA_TENANT_ID", "tenantId"),
    url="AURA_BASE_URL",
    secrets=("AURA_CLIENT_SECRET", "AURA_API_TOKEN"),
    # Not its region and size: the list of instances does not tell them.
    place={},
    adopts="adoptInstanceId",
    # Its password was in the answer.
    makes_again=False,
    regaining="its data are gone; to make an empty one",
    kinds={
        INSTANCE: Kind(
            "graph",
            {"*": _GRAPHS, "target": ("id",), "name": (*_GRAPHS, "id")},
            lost="graph {} and all data in it",
        ),
        INSTANCE_READY: Kind(
            "readiness of the graph", {"*": _GRAPHS, "app": ("id",), "target": ("id",)}
        ),
    },
)
