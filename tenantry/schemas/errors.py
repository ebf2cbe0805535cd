"""What can go wrong with a tenant's schema, in one line each."""


class SchemaError(Exception):
    """A history that cannot be used, or a migration that stopped. The text says where, what and what to do.

    It never holds a password, nor a value that a statement was given.
    """
