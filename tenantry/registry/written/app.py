"""What an app may set, and the defaults for all of them."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from tenantry.registry import models
from tenantry.registry.written.adopt import Adopt
from tenantry.registry.written.api_keys import ApiKey
from tenantry.registry.written.budget import Budget
from tenantry.registry.written.database import Database, Region
from tenantry.registry.written.graphs import Graph, GraphsPerUser
from tenantry.registry.written.limits import Quotas, Retries
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import literal
from tenantry.registry.written.services import Service, ServiceName, long_service
from tenantry.registry.written.texts import AppId, one_or_more

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


class Contents(Settings):
    """What an app may have, and a plan for many apps."""

    graph: Graph | None = None
    graphs_per_user: GraphsPerUser | None = None
    budget: Budget | None = None


class App(Contents):
    """One app: its own Neon project, database, logins and keys."""

    renamed_from: Annotated[
        list[AppId] | None,
        BeforeValidator(one_or_more, json_schema_input_type=AppId | list[AppId]),
    ] = Field(
        None,
        description="The id that the app had before, or several, the newest first, until every stack has been applied.",
    )
    adopt: Adopt | None = None
