"""What can be wrong with a history, in one line each."""


class SchemaError(Exception):
    """A history that cannot be used. The text says where, what and what to do."""
