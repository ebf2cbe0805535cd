"""The database of an app: its schema, its extensions, and who may do what."""

import pulumi
import pulumi_postgresql as postgresql

from components.logins import AppLogins
from components.project import OWNER_CONNECTIONS, AppProject
from tenantry.registry import App

# Beyond what the app may hold: provisioning, whose connections the server still counts for a moment after their end,
# and a person or a migration.
RESERVED_CONNECTIONS = OWNER_CONNECTIONS + 8

# What the group may do with what the owner makes later, by the kind of object.
DEFAULT_PRIVILEGES: dict[str, list[str]] = {
    "table": ["SELECT", "INSERT", "UPDATE", "DELETE"],
    "sequence": ["USAGE", "SELECT", "UPDATE"],
    "function": ["EXECUTE"],
}


class AppDatabase(pulumi.ComponentResource):
    """A database that its owner fills and that only the app's group may enter."""

    database: postgresql.Database
    schema: postgresql.Schema

    def __init__(
        self,
        name: str,
        app: App,
        *,
        project: AppProject,
        logins: AppLogins,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the database and the rights on it.

        `opts.providers` holds the Postgres provider that connects as the owner.

        :param protect: the engine refuses to delete or replace the database and its schema
        """
        super().__init__("tenantry:app:Database", name, None, opts)
        owner = project.owner
        data = project.inside(self, protect=protect)
        rights = project.inside(self)
        self.database = postgresql.Database(
            name,
            name=app.names.database,
            # The connecting role: since PostgreSQL 16 a role may not give a database to one that it
            # made itself without being able to SET ROLE to it.
            owner=owner,
            template="template0",
            encoding="UTF8",
            # The app's own limit is on its logins: here the owner's connections count too, and an app that
            # holds them all would lock out the run that is to help it.
            connection_limit=app.database.connection_limit + RESERVED_CONNECTIONS,
            opts=data,
        )
        self.schema = postgresql.Schema(
            name, name=app.names.schema, database=self.database.name, owner=owner, opts=data
        )
        closed = postgresql.Grant(
            f"{name}/public",
            database=self.database.name,
            role="public",
            object_type="database",
            privileges=[],
            opts=rights,
        )
        postgresql.Grant(
            f"{name}/connect",
            database=self.database.name,
            role=logins.group.name,
            object_type="database",
            privileges=["CONNECT", "TEMPORARY"],
            # Both change the database's one list of rights, as two grants below change the schema's: PostgreSQL
            # refuses that at the same moment.
            opts=pulumi.ResourceOptions.merge(rights, pulumi.ResourceOptions(depends_on=[closed])),
        )
        shut = postgresql.Grant(
            f"{name}/public-schema",
            database=self.database.name,
            schema=self.schema.name,
            role="public",
            object_type="schema",
            privileges=[],
            opts=rights,
        )
        postgresql.Grant(
            f"{name}/usage",
            database=self.database.name,
            schema=self.schema.name,
            role=logins.group.name,
            object_type="schema",
            privileges=["USAGE"],
            opts=pulumi.ResourceOptions.merge(rights, pulumi.ResourceOptions(depends_on=[shut])),
        )
        for object_type, privileges in DEFAULT_PRIVILEGES.items():
            postgresql.DefaultPrivileges(
                f"{name}/{object_type}s",
                database=self.database.name,
                schema=self.schema.name,
                owner=owner,
                role=logins.group.name,
                object_type=object_type,
                privileges=privileges,
                opts=rights,
            )
        for extension in app.database.extensions:
            postgresql.Extension(
                f"{name}/{extension}", name=extension, database=self.database.name, opts=rights
            )
        self.register_outputs({})
