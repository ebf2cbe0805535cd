"""Variables of the environment that hold a secret, and an environment without them for programs that need none."""

from collections.abc import Collection, Mapping
from typing import Final

CLOUDS: Final = (
    "NEON_API_KEY",
    "AURA_CLIENT_SECRET",
    "AURA_API_TOKEN",
    "TENANTRY_CATALOG_URL",
    # The URL of another backend, for `tenantry fleet copy-states` alone.
    "TENANTRY_STATES_TO",
)
"""What a run needs, and nothing that only reads a stack."""
STATE: Final = (
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
    # `postgres://` has a password in it.
    "PULUMI_BACKEND_URL",
)
"""What it takes to read a stack and to decrypt it."""


def without_secrets(
    environment: Mapping[str, str], *, keep: Collection[str] = ()
) -> dict[str, str]:
    """Return the environment for a program that is not to know what it does not need.

    :param keep: the names of those that it does need
    """
    withheld = {name for name in (*CLOUDS, *STATE) if name not in keep}
    return {name: value for name, value in environment.items() if name not in withheld}
