"""Why a run over many stacks does not begin."""


class FleetError(Exception):
    """The run is refused, or what it needs cannot be read; one line for each fault, without a secret. Nothing was changed."""
