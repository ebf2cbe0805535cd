"""Request bodies: what the API document asks for, and how a body that is not so is answered."""

# ruff: noqa: D101 (the document is the description)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from localcloud import body
from localcloud.aura.errors import ApiError, Fault
from localcloud.body import Body

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from starlette.requests import Request

BAD_BODY = "validation-error"


def _unpadded(name: str) -> str:
    if name != name.strip():
        raise PydanticCustomError("padded", "Must not begin or end with white space")
    return name


InstanceName = Annotated[str, Field(min_length=1, max_length=30), AfterValidator(_unpadded)]
InstanceType = Literal[
    "free-db",
    "professional-db",
    "business-critical",
    "enterprise-db",
    "professional-ds",
    "enterprise-ds",
]
Count = Annotated[int, Field(ge=0)]


class InstanceCreate(Body):
    version: str
    region: str
    memory: str
    name: InstanceName
    type: InstanceType
    tenant_id: str
    cloud_provider: Literal["gcp", "aws", "azure"]
    storage: str | None = None
    source_instance_id: str | None = None
    source_snapshot_id: str | None = None
    customer_managed_key_id: str | None = None
    vector_optimized: bool | None = None
    graph_analytics_plugin: bool | None = None


class InstanceUpdate(Body):
    name: InstanceName | None = None
    memory: str | None = None
    storage: str | None = None
    vector_optimized: bool | None = None
    graph_analytics_plugin: bool | None = None
    secondaries_count: Count | None = None
    cdc_enrichment_mode: Literal["OFF", "DIFF", "FULL"] | None = None


class Overwrite(Body):
    source_instance_id: str
    source_snapshot_id: str | None = None


class Upgrade(Body):
    memory: str | None = None
    storage: str | None = None


class Sizing(Body):
    node_count: Count
    relationship_count: Count
    instance_type: InstanceType | None = None
    algorithm_categories: list[str] | None = None


class KeyCreate(Body):
    key_id: Annotated[str, Field(min_length=1)]
    region: str
    name: InstanceName
    instance_type: InstanceType
    tenant_id: str
    cloud_provider: Literal["gcp", "aws", "azure"]


class SessionCreate(Body):
    name: Annotated[str, Field(min_length=1)]
    memory: str
    ttl: Annotated[str, Field(pattern=r"^([0-9]+(\.[0-9]+)?[hms])+$")] | None = None
    instance_id: str | None = None
    database_uuid: str | None = None
    tenant_id: str
    cloud_provider: Literal["gcp", "aws", "azure"] | None = None
    region: str | None = None


class SessionSizing(Body):
    node_count: Count
    relationship_count: Count
    node_property_count: Count | None = None
    node_label_count: Count | None = None
    relationship_property_count: Count | None = None
    algorithm_categories: list[str] | None = None


B = TypeVar("B", bound=Body)


async def read(request: Request, model: type[B], *, optional: bool = False) -> B:
    """Read and check a request's body. ``optional``: an empty one counts as ``{}``.

    Raises ApiError 400 with one fault for each field; no message repeats a value.
    """
    return await body.read(request, model, _refusal, optional=optional)


def _refusal(errors: list[ErrorDetails]) -> ApiError:
    return ApiError(
        400,
        *(
            Fault(each["msg"], BAD_BODY, ".".join(str(part) for part in each["loc"]) or None)
            for each in errors
        ),
    )
