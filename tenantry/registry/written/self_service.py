"""What callers of the service may ask for: `self_service`."""

from typing import Annotated, Final

from pydantic import Field

from tenantry.registry.self_service import MAX_APPS
from tenantry.registry.written.app import Contents, Deletion
from tenantry.registry.written.database import Region
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import integer
from tenantry.registry.written.texts import AppId, Label, TenantLabel

APPS_MOST: Final = 100_000
"""Our own limit: a file's apps and those that were asked for are one registry in memory."""

MaxApps = Annotated[int, integer(0, APPS_MOST)]


class Plan(Contents):
    """A class of apps: what every app has that is asked for with this plan, above the defaults."""


class Asker(Written):
    """What a tenant may ask for."""

    plans: list[Label] = Field(
        description="The plans that it may use; [] for no new apps.",
        json_schema_extra={"uniqueItems": True},
    )
    max_apps: MaxApps | None = Field(
        None,
        description="How many apps it may have asked for at a time; by default max_apps of self_service.",
    )


class SignUps(Written):
    """What a person gets who signs up."""

    app: AppId = Field(
        description="The app whose users get a graph each, as its graphs_per_user says."
    )


class SelfService(Written):
    """What callers of the service may ask for. Without it, the service offers nothing."""

    plans: dict[Label, Plan] | None = Field(
        None, description="Classes of apps, by name.", json_schema_extra={"default": {}}
    )
    tenants: dict[TenantLabel, Asker] | None = Field(
        None,
        description="Which tenants of this file may ask for apps, by their keys.",
        json_schema_extra={"default": {}},
    )
    regions: list[Region] | None = Field(
        None,
        description="The regions that a caller may choose, beside the plan's own.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    max_apps: MaxApps | None = Field(
        None,
        description="How many apps a tenant may have asked for at a time.",
        json_schema_extra={"default": MAX_APPS},
    )
    deletion: Deletion | None = Field(
        None,
        description="What the deletion of an app does to its cloud resources, where its plan says nothing. "
        "The defaults have no say in it.",
        json_schema_extra={"default": "delete"},
    )
    sign_ups: SignUps | None = None
