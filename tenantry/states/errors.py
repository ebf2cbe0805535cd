"""What can go wrong with states."""

from tenantry.errors import OneLineError


class StatesError(OneLineError):
    """A state, a lock or a history cannot be read or written. Nothing was changed; the text says what to do."""
