"""Why somebody was not told."""

from typing import ClassVar

from tenantry.errors import TenantryError


class ChannelSettingsError(TenantryError):
    """A receiver cannot be told with what the environment has; no secret is in the message."""


class RefusedError(TenantryError):
    """The receiver does not take it, and would not later."""


class BusyReceiverError(TenantryError):
    """The receiver does not take it now."""

    may_pass: ClassVar[bool] = True

    def __init__(self, reason: str, *, seconds: float = 0) -> None:
        """Say why.

        :param seconds: how long it asks to be left alone; 0 where it does not say
        """
        super().__init__(reason)
        self.seconds = seconds
