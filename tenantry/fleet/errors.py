"""Why a run over many stacks does not begin."""

from tenantry.errors import TenantryError


class FleetError(TenantryError):
    """The run is refused, or cannot read what it needs. A line for each fault, no secret. Nothing was changed."""
