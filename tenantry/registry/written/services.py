"""The services that an app is registered with: `services`."""

from typing import Annotated

from pydantic import Field

from tenantry.registry import models
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import Flag, literal


def long_service(value: object) -> object:
    """Turn the short form of a service, its name, into the long one."""
    return value if isinstance(value, dict) else {"name": value}


ServiceName = Annotated[models.ServiceName, literal(models.ServiceName)]


class Service(Written):
    """A service that the app is registered with."""

    name: ServiceName = Field(description="Which service.")
    enabled: Flag | None = Field(
        None,
        description="False disables it; the app stays registered.",
        json_schema_extra={"default": True},
    )
