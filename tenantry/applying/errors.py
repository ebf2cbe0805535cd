"""Why a run does not begin."""

from tenantry.errors import TenantryError


class OptionError(TenantryError):
    """The run cannot take an option for the engine."""
