"""What can go wrong, in words for the operator."""

from tenantry.errors import TenantryError


class EngineError(TenantryError):
    """The engine cannot be made available: where, what, and what to do; a compiler's last lines follow."""
