"""What callers of the service may ask for, as the program uses it: `self_service` of the registry."""

from typing import Any, Final

from pydantic import Field

from tenantry.registry.frozen import Frozen

MAX_APPS: Final = 10
"""How many apps a tenant may ask for, where nothing else is written."""


class Plan(Frozen):
    """A class of apps. An app that was asked for is its plan and what the caller chose."""

    name: str
    settings: dict[str, Any] = Field(repr=False)
    """The keys of an app (`models.App`) with the registry's defaults beneath, in plain units; without `quotas`.

    Without `region` too, where neither the plan nor the defaults have one: then the caller must choose.
    """
    quotas: dict[str, int] = Field(default_factory=dict)
    """Those that the plan itself writes; they lie above the tenant's."""

    @property
    def region(self) -> str | None:
        """Where its apps are if nobody chooses; None where the caller must."""
        return self.settings.get("region")


class Asker(Frozen):
    """What a tenant may ask for."""

    plans: tuple[str, ...]
    """Names of plans."""
    max_apps: int
    """How many apps it may have asked for at a time. Those of the file do not count."""


class SelfService(Frozen):
    """What callers of the service may ask for."""

    plans: dict[str, Plan] = Field(default_factory=dict)
    """By name."""
    tenants: dict[str, Asker] = Field(default_factory=dict)
    """By the tenant's label. One that is not here may not ask."""
    regions: tuple[str, ...] = ()
    """Neon's own names of the regions that a caller may choose, beside the plan's own."""
    sign_ups: str | None = None
    """The id of the app whose users get a graph each; None where nobody does."""

    def regions_of(self, plan: Plan) -> tuple[str, ...]:
        """Return the regions that a caller may choose with a plan, the plan's own first."""
        own = (plan.region,) if plan.region else ()
        return tuple(dict.fromkeys((*own, *self.regions)))
