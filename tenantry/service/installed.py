"""Whether the optional part is installed. It imports nothing of it."""

from importlib.util import find_spec
from typing import Final

from tenantry.errors import TenantryError

PACKAGES: Final = (
    "fastapi",
    "uvicorn",
    "procrastinate",
    "jwt",
    "psycopg_pool",
    "jinja2",
    "prometheus_client",
)


class NotInstalledError(TenantryError):
    """The service's packages are not installed."""


def check_installed() -> None:
    """Refuse to start without the optional part.

    :raises NotInstalledError: one of its packages is missing
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise NotInstalledError(
            f"not installed: {', '.join(missing)}",
            place="service",
            way_out="pip install 'tenantry[service]'",
        )
