"""What can fail while the clouds and the states are looked at."""

from tenantry.errors import TenantryError


class RecoveryError(TenantryError):
    """A look failed, or nothing was settled. The text says what to do."""


class HeldError(RecoveryError):
    """Another run is at work on the stack."""
