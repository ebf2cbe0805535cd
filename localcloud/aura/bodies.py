"""Request bodies: what the API document asks for, and how a body that is not so is answered."""

# ruff: noqa: D101 (the document is the description)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from localcloud.aura.errors import ApiError, Fault

if TYPE_CHECKING:
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


class Body(BaseModel):
    """A body. Unknown fields are ignored, as clients older and newer than the document send them."""

    model_config = ConfigDict(strict=True, defer_build=True)

    def given(self) -> dict[str, Any]:
        """Return what the client sent, with nothing filled in and no nulls."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


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


B = TypeVar("B", bound=Body)


async def read(request: Request, model: type[B], *, optional: bool = False) -> B:
    """Read and check a request's body. ``optional``: an empty one counts as ``{}``.

    Raises ApiError 400 with one fault for each field; no message repeats a value.
    """
    raw = await request.body()
    if not raw and optional:
        raw = b"{}"
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise ApiError(
            400,
            *(
                Fault(each["msg"], BAD_BODY, ".".join(str(part) for part in each["loc"]) or None)
                for each in error.errors(
                    include_input=False, include_url=False, include_context=False
                )
            ),
        ) from error
