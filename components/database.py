"""The database of an app: its schema, its extensions, and who may do what."""

import pulumi
import pulumi_postgresql as postgresql

from components.logins import AppLogins
from components.place import OWNER_CONNECTIONS, Place
from providers.schema import Migration
from tenantry.registry import App, tokens
from tenantry.registry.schemas import SchemaPlan

MIGRATION_CONNECTIONS = 2
"""One that holds the lock, and Alembic's own."""

# Beyond what the app may hold: provisioning, whose connections the server still counts for a moment after their end,
# a migration, and a person.
RESERVED_CONNECTIONS = OWNER_CONNECTIONS + MIGRATION_CONNECTIONS + 6

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
    migration: Migration | None

    def __init__(
        self,
        name: str,
        app: App,
        *,
        project: Place,
        logins: AppLogins,
        plan: SchemaPlan | None,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the database, the rights on it, and its tables.

        `opts.providers` holds the Postgres provider that connects as the owner.

        :param plan: the revisions that its schema is to have; None where the app brings no history
        :param protect: the engine refuses to delete or replace the database and its schema
        """
        super().__init__(tokens.APP_DATABASE, name, None, opts)
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
        connect = postgresql.Grant(
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
        usage = postgresql.Grant(
            f"{name}/usage",
            database=self.database.name,
            schema=self.schema.name,
            role=logins.group.name,
            object_type="schema",
            privileges=["USAGE"],
            opts=pulumi.ResourceOptions.merge(rights, pulumi.ResourceOptions(depends_on=[shut])),
        )
        privileges = [
            postgresql.DefaultPrivileges(
                f"{name}/{object_type}s",
                database=self.database.name,
                schema=self.schema.name,
                owner=owner,
                role=logins.group.name,
                object_type=object_type,
                privileges=given,
                opts=rights,
            )
            for object_type, given in DEFAULT_PRIVILEGES.items()
        ]
        # The extensions that the history needs are added. One that the registry names too is made once.
        wanted = dict.fromkeys([*app.database.extensions, *(plan.extensions if plan else ())])
        extensions = [
            postgresql.Extension(
                f"{name}/{extension}", name=extension, database=self.database.name, opts=rights
            )
            for extension in wanted
        ]
        self.migration = None
        if plan is not None:
            # Default privileges come first: tables that are made before them would stay closed to the app.
            first = [connect, usage, *privileges, *extensions]
            self.migration = Migration(
                f"{name}/schema",
                {
                    "app": app.id,
                    "host": project.host,
                    "port": 5432,
                    "database": self.database.name,
                    "owner": owner,
                    "password": project.owner_password,
                    "schema": self.schema.name,
                    "group": logins.group.name,
                    "template": plan.template,
                    "path": plan.path,
                    "target": plan.target,
                    "revisions": list(plan.revisions),
                    "digest": plan.digest,
                    "allowDowngrade": plan.allow_downgrade,
                    "reaching": app.retries.database.text(),
                    "retries": app.retries.migration.text(),
                },
                pulumi.ResourceOptions.merge(rights, pulumi.ResourceOptions(depends_on=first)),
            )
        self.register_outputs({})
