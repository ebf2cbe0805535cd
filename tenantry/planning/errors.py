"""What a plan fails with."""

from tenantry.errors import TenantryError


class PlanError(TenantryError):
    """A plan could not be made, read or kept; the message says why."""
