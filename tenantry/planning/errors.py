"""What a plan fails with."""

from tenantry.errors import OneLineError


class PlanError(OneLineError):
    """A plan could not be made, read or kept; the message says why."""
