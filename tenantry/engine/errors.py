"""What can go wrong, in words for the operator."""


class EngineError(Exception):
    """The engine cannot be made available: where, what, and what to do; a compiler's last lines follow."""
