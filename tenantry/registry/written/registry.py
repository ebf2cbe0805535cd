"""The whole file: tenants, and the registry that holds them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tenantry.errors import shown
from tenantry.registry.written.app import App, Settings
from tenantry.registry.written.budget import TenantBudget
from tenantry.registry.written.limits import Limits, Quotas
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.notify import Notify
from tenantry.registry.written.prices import Prices
from tenantry.registry.written.rules import Rule, RuleError
from tenantry.registry.written.self_service import SelfService
from tenantry.registry.written.templates import Templates
from tenantry.registry.written.texts import Label, Line, TenantLabel, one_or_more


def registry_version(value: object) -> int:
    """Check the version of the file's format."""
    if isinstance(value, bool) or not isinstance(value, int) or value != 1:
        raise RuleError(f"must be the number 1, the only version of the format, not {shown(value)}")
    return value


Version = Annotated[Literal[1], Rule(registry_version, {"const": 1})]


class Tenant(Written):
    """A customer and its apps."""

    name: Line | None = Field(None, description="The display name; without it, the tenant's key.")
    contact: Line | None = Field(None, description="Whom to ask: an address, a channel, a team.")
    quotas: Quotas | None = None
    budget: TenantBudget | None = None
    renamed_from: Annotated[
        list[TenantLabel] | None,
        BeforeValidator(one_or_more, json_schema_input_type=TenantLabel | list[TenantLabel]),
    ] = Field(
        None,
        description="The key that the tenant had before, or several, the newest first, until every stack has been applied.",
    )
    apps: dict[Label, App] = Field(description="The tenant's apps, by name; {} for none.")


class Registry(Written):
    """The registry of tenants and their apps."""

    version: Version = Field(description="The version of this file's format.")
    namespace: Label | None = Field(
        None,
        description="The mark in every name in the cloud; one for each registry of an organization.",
        json_schema_extra={"default": "tenantry"},
    )
    limits: Limits | None = None
    templates: Templates | None = Field(
        None,
        description="Schema templates of your own, by name: a folder each, or mappings.",
        json_schema_extra={"default": {}},
    )
    defaults: Settings | None = Field(None, description="What holds where an app says nothing.")
    tenants: dict[TenantLabel, Tenant] = Field(description="The tenants, by name; {} for none.")
    self_service: SelfService | None = None
    notify: list[Notify] | None = Field(
        None,
        description="Who is told of what, and how.",
        json_schema_extra={"default": []},
    )
    prices: Prices | None = None
