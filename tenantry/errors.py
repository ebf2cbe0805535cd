"""What all failures that an operator reads have in common."""


class OneLineError(Exception):
    """A failure whose text is one line, without any secret, that says where, what and what to do."""
