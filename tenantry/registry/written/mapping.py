"""What every mapping of the file has in common."""

from pydantic import BaseModel, ConfigDict


class Written(BaseModel):
    """A mapping of the file: nothing but the keys named here."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
