"""What a step of CI fails with."""

from tenantry.errors import OneLineError


class CiError(OneLineError):
    """A step cannot do its work; the message says why and what to do."""
