"""What can go wrong in looking."""

from tenantry.errors import OneLineError


class RecoveryError(OneLineError):
    """It could not be looked, or nothing was settled; the text says what to do."""
