"""Why an app cannot have a project, or cannot leave."""

from tenantry.errors import TenantryError


class AdoptionError(TenantryError):
    """It is refused, and nothing was changed; one line with the reason and what to do."""
