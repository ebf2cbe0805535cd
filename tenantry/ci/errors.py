"""What a step of CI fails with."""

from tenantry.errors import TenantryError


class CiError(TenantryError):
    """A step cannot do its work; the message says why and what to do."""
