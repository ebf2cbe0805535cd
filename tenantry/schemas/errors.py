"""What can be wrong with a history, in one line each."""

from tenantry.errors import TenantryError


class SchemaError(TenantryError):
    """A history that cannot be used. The text says where, what and what to do."""
