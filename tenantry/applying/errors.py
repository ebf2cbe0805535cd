"""Why a run does not begin."""

from tenantry.errors import OneLineError


class OptionError(OneLineError):
    """The run cannot take an option for the engine."""
