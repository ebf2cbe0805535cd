"""The whole file: settings, apps, tenants, and the registry that holds them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tenantry.errors import shown
from tenantry.registry import models
from tenantry.registry.written.adopt import Adopt
from tenantry.registry.written.api_keys import ApiKey
from tenantry.registry.written.database import Database, Region
from tenantry.registry.written.graphs import Graph, GraphsPerUser
from tenantry.registry.written.limits import Limits, Quotas, Retries
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import Rule, RuleError, literal
from tenantry.registry.written.services import Service, ServiceName, long_service
from tenantry.registry.written.templates import Templates
from tenantry.registry.written.texts import AppId, Label, Line, TenantLabel, one_or_more


def registry_version(value: object) -> int:
    """Check the version of the file's format."""
    if isinstance(value, bool) or not isinstance(value, int) or value != 1:
        raise RuleError(f"must be the number 1, the only version of the format, not {shown(value)}")
    return value


Version = Annotated[Literal[1], Rule(registry_version, {"const": 1})]
Environment = Annotated[models.Environment, literal(models.Environment)]
Deletion = Annotated[models.Deletion, literal(models.Deletion)]


class Settings(Written):
    """What an app may set, and the defaults for all of them."""

    environment: Environment | None = Field(
        None, description="What the app is for. Production is protected in Pulumi as well."
    )
    region: Region | None = Field(
        None,
        description="Neon's region, or the cloud's name of it. Changing it replaces the project.",
    )
    database: Database | None = None
    services: (
        list[
            Annotated[
                Service,
                BeforeValidator(long_service, json_schema_input_type=ServiceName | Service),
            ]
        ]
        | None
    ) = Field(
        None,
        description="What the app is registered with: names, or mappings.",
        json_schema_extra={"default": [], "uniqueItems": True},
    )
    api_keys: list[ApiKey] | None = Field(
        None, description="The app's API keys.", json_schema_extra={"default": []}
    )
    deletion: Deletion | None = Field(
        None,
        description="What the app's removal from this file does to its cloud resources.",
        json_schema_extra={"default": "protect"},
    )
    quotas: Quotas | None = None
    retries: Retries | None = None


class App(Settings):
    """One app: its own Neon project, database, logins and keys."""

    graph: Graph | None = None
    graphs_per_user: GraphsPerUser | None = None
    renamed_from: Annotated[
        list[AppId] | None,
        BeforeValidator(one_or_more, json_schema_input_type=AppId | list[AppId]),
    ] = Field(
        None,
        description="The id that the app had before, or several, the newest first, until every stack has been applied.",
    )
    adopt: Adopt | None = None


class Tenant(Written):
    """A customer and its apps."""

    name: Line | None = Field(None, description="The display name; without it, the tenant's key.")
    contact: Line | None = Field(None, description="Whom to ask: an address, a channel, a team.")
    quotas: Quotas | None = None
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
