"""What operators and services are told of a catalog that cannot be used."""

from tenantry.errors import TenantryError


class CatalogError(TenantryError):
    """The catalog is not where it is said to be, or cannot be asked."""
