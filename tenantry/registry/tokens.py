"""Type tokens: what the engine, its plugins and our own components and providers call each kind of resource.

Those of a cloud's own resources are among its facts (`tenantry.clouds`).

They are part of every state, so changing one without an alias replaces or loses resources (`docs/resources.md`). A
token of a plugin is `PACKAGE:MODULE:TYPE` (https://www.pulumi.com/docs/iac/concepts/resources/names/#types).
"""

from typing import Final

STACK: Final = "pulumi:pulumi:Stack"
PROVIDERS: Final = "pulumi:providers:"
"""What the tokens of all providers begin with."""

TENANT_APP: Final = "tenantry:app:TenantApp"
APP_PROJECT: Final = "tenantry:app:Project"
APP_LOGINS: Final = "tenantry:app:Logins"
APP_DATABASE: Final = "tenantry:app:Database"
APP_BRANCH: Final = "tenantry:app:Branch"
APP_GRAPH: Final = "tenantry:app:Graph"
USER_GRAPH: Final = "tenantry:app:UserGraph"
"""The graph of a user who signed up, in a stack of its own."""

POSTGRES: Final = "postgresql:index/"
"""What the tokens of all resources in a PostgreSQL server begin with."""
ROLE: Final = "postgresql:index/role:Role"
DATABASE: Final = "postgresql:index/database:Database"
SCHEMA: Final = "postgresql:index/schema:Schema"
GRANT: Final = "postgresql:index/grant:Grant"
DEFAULT_PRIVILEGES: Final = "postgresql:index/defaultPrivileges:DefaultPrivileges"
EXTENSION: Final = "postgresql:index/extension:Extension"

RANDOM_ID: Final = "random:index/randomId:RandomId"
RANDOM_PASSWORD: Final = "random:index/randomPassword:RandomPassword"  # noqa: S105 a token, no password

DYNAMIC: Final = "pulumi-python:dynamic/tenantry:"
"""What the tokens of our own dynamic providers' resources begin with."""
CATALOG: Final = f"{DYNAMIC}Catalog"
MIGRATION: Final = f"{DYNAMIC}Migration"
APP_RECORD: Final = f"{DYNAMIC}AppRecord"
SERVICES: Final = f"{DYNAMIC}Services"
API_KEY: Final = f"{DYNAMIC}ApiKey"
GRAPH_RECORD: Final = f"{DYNAMIC}GraphRecord"
