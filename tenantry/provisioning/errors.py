"""What can go wrong while an app is made, by what is to be done about it."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from tenantry.errors import OneLineError

Step: TypeAlias = Literal["database", "schema", "tables", "services", "keys", "graphs"]
"""`database`: reaching the app's database; `schema`: its migrations; `tables`: the catalog's own; `services`: the app and its
services in the catalog; `keys`: its API keys; `graphs`: those of its users."""


class ProvisioningError(OneLineError):
    """A step of an app that failed. Its text is one line, without any secret: the app, the step, what is wrong, what to do."""

    retryable: ClassVar[bool] = False
    """Whether the same attempt may succeed a little later."""

    def __init__(self, app: str, step: Step, reason: str, hint: str) -> None:
        """Say what failed.

        :param app: the app's id, or `catalog` for what belongs to no app
        :param reason: what is wrong
        :param hint: what to do
        """
        super().__init__(app, step, reason, hint)
        self.app = app
        self.step: Step = step
        self.reason = reason
        self.hint = hint

    def __str__(self) -> str:
        """Join the parts into one line."""
        return f"{self.app}: {self.step}: {self.reason}: {self.hint}"


class UnavailableError(ProvisioningError):
    """The server did not answer, or ended the connection."""

    retryable = True


class BusyError(ProvisioningError):
    """Somebody else holds what is needed: a lock, a connection, a row."""

    retryable = True


class DeniedError(ProvisioningError):
    """The credentials or the rights do not suffice."""


class RejectedError(ProvisioningError):
    """What was asked for is wrong in itself: a statement, a revision, a value."""


class ConflictError(ProvisioningError):
    """Something is in the way that somebody made or changed by hand, and that is not touched."""


class MissingError(ProvisioningError):
    """What the step works on is not there."""
