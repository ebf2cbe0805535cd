"""What can go wrong in looking."""

from tenantry.errors import TenantryError


class RecoveryError(TenantryError):
    """It could not be looked, or nothing was settled; the text says what to do."""


class HeldError(RecoveryError):
    """Another run is at work on the stack."""
