"""The roles of an app below its owner: the group that holds the rights, the logins that come and go."""

from dataclasses import dataclass

import pulumi
import pulumi_postgresql as postgresql
import pulumi_random as random

from components.place import Place
from tenantry.registry import App, tokens

# Letters and digits only: they need no escaping in a URL. 40 of them are 238 bits.
PASSWORD_LENGTH = 40


@dataclass(frozen=True)
class Login:
    """A role that the app connects as, and its password."""

    role: postgresql.Role
    password: pulumi.Output[str]


class AppLogins(pulumi.ComponentResource):
    """A read-write group without login, and two logins used in turn.

    Generation n connects as one login and n+1 as the other, so that raising the generation leaves every
    connection of the previous one alone; n+2 gives the first login a new password in place.
    """

    group: postgresql.Role
    current: Login
    names: tuple[str, ...]
    """The names of the logins that are there."""

    def __init__(
        self,
        name: str,
        app: App,
        *,
        project: Place,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the group and the logins.

        `opts.providers` holds the Postgres provider that connects as the owner.

        :param protect: the engine refuses to delete the roles
        """
        super().__init__(tokens.APP_LOGINS, name, None, opts)
        self._name = name
        self._app = app
        self._options = project.inside(self, protect=protect)
        self.group = postgresql.Role(
            f"{name}/group",
            name=app.names.group_role,
            login=False,
            skip_reassign_owned=True,
            opts=self._options,
        )
        generation = app.database.credentials.generation
        # The newest generation that each login serves; before the second there is no second login.
        served = [g for g in (generation - 1, generation) if g >= 1]
        logins = [self._login(g) for g in served]
        self.names = tuple(app.names.login_role(g) for g in served)
        self.current = logins[-1]
        self.register_outputs({})

    def _login(self, generation: int) -> Login:
        role_name = self._app.names.login_role(generation)
        # Not RandomBytes: the official plugin makes its value the resource's id, which no state encrypts.
        password = random.RandomPassword(
            f"{self._name}/password-{generation}",
            length=PASSWORD_LENGTH,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        database = self._app.database
        role = postgresql.Role(
            f"{self._name}/{'b' if generation % 2 == 0 else 'a'}",
            name=role_name,
            login=True,
            password=password.result,
            connection_limit=database.connection_limit,
            roles=[self.group.name],
            search_paths=[self._app.names.schema, "public"],
            statement_timeout=database.statement_timeout,
            idle_in_transaction_session_timeout=database.idle_in_transaction_timeout,
            # Logins never own anything: there is nothing to reassign, and an owner that is not a
            # superuser may not take over another role's objects.
            skip_reassign_owned=True,
            opts=self._options,
        )
        return Login(role, password.result)
