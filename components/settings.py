"""What the stack's configuration and the environment tell the program."""

import os
from dataclasses import dataclass
from pathlib import Path

import pulumi

from tenantry.catalog.location import CONFIG, VARIABLE, label


@dataclass(frozen=True)
class Settings:
    """The program's settings."""

    registry: Path
    apps: str
    neon_api_key: pulumi.Output[str] | None
    """None where the environment's `NEON_API_KEY` is to be used: then it is kept nowhere."""
    neon_org_id: str | None
    catalog: pulumi.Output[str] | None
    """Which catalog the apps are in, without a secret; None where there is none."""
    allow_destroy: frozenset[str]
    """Apps that may leave or be replaced in one run; one alone needs no permission."""

    @classmethod
    def read(cls) -> "Settings":
        """Read the stack's configuration.

        `tenantry:catalogUrl` (a secret; the environment's `TENANTRY_CATALOG_URL` comes first),
        `tenantry:registry` (default `tenants.yaml`), `tenantry:apps` (default `all`),
        `tenantry:neonOrgId` (default: the environment's `NEON_ORG_ID`) and `tenantry:allowDestroy` (default: none).

        :raises pulumi.RunError: no key for Neon's API is set, or the catalog's URL is none
        """
        neon_api_key = pulumi.Config("neon").get_secret("apiKey")
        if neon_api_key is None and not os.environ.get("NEON_API_KEY"):
            raise pulumi.RunError(
                "no key for the Neon API: set NEON_API_KEY, or `pulumi config set --secret neon:apiKey`; "
                'for the local cloud: eval "$(.venv/bin/tenantry env)"'
            )
        config = pulumi.Config("tenantry")
        return cls(
            registry=Path(config.get("registry") or "tenants.yaml"),
            apps=config.get("apps") or "all",
            neon_api_key=neon_api_key,
            catalog=_catalog(),
            neon_org_id=config.get("neonOrgId") or os.environ.get("NEON_ORG_ID") or None,
            allow_destroy=frozenset(
                app.strip() for app in (config.get("allowDestroy") or "").split(",") if app.strip()
            ),
        )


def _catalog() -> pulumi.Output[str] | None:
    # Only its name: the providers take the URL itself from where it is.
    given = os.environ.get(VARIABLE)
    if given:
        return pulumi.Output.from_input(_label(given))
    config, _, key = CONFIG.partition(":")
    kept = pulumi.Config(config).get_secret(key)
    return None if kept is None else pulumi.Output.unsecret(kept.apply(_label))


def _label(url: str) -> str:
    try:
        return label(url)
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None
