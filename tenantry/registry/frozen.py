"""What all models of the registry share."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """No field can be added or changed later."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )
