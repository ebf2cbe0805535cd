"""What can go wrong while an app is made, by what is to be done about it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tenantry.errors import TenantryError

Step: TypeAlias = Literal["database", "schema", "tables", "services", "keys", "graphs"]
"""`database`: reaching the app's database; `schema`: its migrations; `tables`: the catalog's own; `services`: the app
and its services in the catalog; `keys`: its API keys; `graphs`: those of its users."""


class ProvisioningError(TenantryError):
    """A step of an app that failed. Its place is the app and the step."""

    def __init__(self, app: str, step: Step, reason: str, way_out: str) -> None:
        """Say what failed.

        :param app: the app's id, or `catalog` for what belongs to no app
        :param reason: what is wrong
        :param way_out: what to do
        """
        super().__init__(reason, place=f"{app}: {step}", way_out=way_out)
        # What pickle makes it of again.
        self.args = (app, step, reason, way_out)
        self.app = app
        self.step: Step = step


class UnavailableError(ProvisioningError):
    """The server did not answer, or ended the connection."""

    may_pass = True


class BusyError(ProvisioningError):
    """Somebody else holds what is needed: a lock, a connection, a row."""

    may_pass = True


class DeniedError(ProvisioningError):
    """The credentials or the rights do not suffice."""


class RejectedError(ProvisioningError):
    """What was asked for is wrong in itself: a statement, a revision, a value."""


class ConflictError(ProvisioningError):
    """Something is in the way that somebody made or changed by hand, and that is not touched."""


class MissingError(ProvisioningError):
    """What the step works on is not there."""
