"""What can go wrong with a team's repository."""

from tenantry.errors import TenantryError


class RepositoryError(TenantryError):
    """The repository cannot be made, or its pinned version cannot be changed; nothing was written."""
