"""Why a run over many stacks does not begin."""

from tenantry.errors import OneLineError


class FleetError(OneLineError):
    """The run is refused, or what it needs cannot be read; nothing was changed."""
