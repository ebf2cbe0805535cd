"""Signing in at an OpenID provider."""


class Provider:
    """Placeholder."""

    name = ""
