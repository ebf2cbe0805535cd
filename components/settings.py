"""What the stack's configuration and the environment tell the program."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from tenantry.aura.settings import AuraSettings, read_settings
from tenantry.catalog.errors import CatalogError
from tenantry.catalog.location import CONFIG, VARIABLE, label
from tenantry.registry.permission import allowed_apps, leaving_apps


@dataclass(frozen=True)
class AdoptedGraph:
    """An Aura instance that is there already and is to be taken over."""

    instance: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Aura:
    """Where graphs are made, and which of them exist already. The credentials are the provider's alone."""

    project: str
    """The Aura project's id (`AURA_TENANT_ID`)."""
    adopted: Mapping[str, AdoptedGraph]
    """By the graph's id."""


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
    environment: Mapping[str, str] = field(repr=False)
    leaving: frozenset[str] = frozenset()
    """Apps that this run takes out of the stack, whatever the registry says (`tenantry destroy`)."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the stack's configuration.

        :param environment: the variables that the run has; by default this process's

        `tenantry:catalogUrl` (a secret; the environment's `TENANTRY_CATALOG_URL` comes first),
        `tenantry:registry` (default `tenants.yaml`), `tenantry:apps` (default `all`),
        `tenantry:neonOrgId` (default: the environment's `NEON_ORG_ID`) and `tenantry:allowDestroy` (default: none;
        the environment's `TENANTRY_ALLOW_DESTROY` adds to it for one run).

        :raises pulumi.RunError: no key for Neon's API is set, or the catalog's URL is none
        """
        environment = os.environ if environment is None else environment
        neon_api_key = pulumi.Config("neon").get_secret("apiKey")
        if neon_api_key is None and not environment.get("NEON_API_KEY"):
            raise pulumi.RunError(
                "no key for the Neon API: set NEON_API_KEY, or `pulumi config set --secret neon:apiKey`; "
                'for the local cloud: eval "$(.venv/bin/tenantry env)"'
            )
        config = pulumi.Config("tenantry")
        return cls(
            registry=Path(config.get("registry") or "tenants.yaml"),
            apps=config.get("apps") or "all",
            neon_api_key=neon_api_key,
            catalog=_catalog(environment),
            neon_org_id=config.get("neonOrgId") or environment.get("NEON_ORG_ID") or None,
            allow_destroy=allowed_apps(config.get("allowDestroy"), environment),
            environment=environment,
            leaving=leaving_apps(environment),
        )

    def read_aura(self) -> Aura:
        """Read what graphs need; only a stack that has one asks.

        `tenantry:auraClientId` and the like, else the environment's `AURA_CLIENT_ID` and the like (see
        `tenantry.aura.settings`), and `tenantry:adoptGraphs`: by the graph's id, `instance`, `password` (secret) and
        `username` (default `neo4j`).

        :raises AuraSettingsError: something is missing or cannot be used
        :raises pulumi.RunError: `tenantry:adoptGraphs` is not of this form
        """
        config = pulumi.Config("tenantry")
        found: AuraSettings = read_settings(config.get, self.environment)
        return Aura(found.tenant_id, _adopted(config.get_object("adoptGraphs")))


def _adopted(value: object) -> dict[str, AdoptedGraph]:
    adopted = {}
    for graph, facts in value.items() if isinstance(value, dict) else ():
        match facts:
            # `pulumi config set --path` makes a number of an id that has digits only.
            case {"instance": str() | int() as instance, "password": str() as password, **rest} if (
                not isinstance(instance, bool)
            ):
                username = str(rest.get("username") or "neo4j")
                adopted[graph] = AdoptedGraph(str(instance), username, password)
            case _:
                # Not shown: it may hold a password.
                raise pulumi.RunError(
                    f"tenantry:adoptGraphs: {graph} needs `instance` and `password` (secret), and may have `username`"
                )
    return adopted


def _catalog(environment: Mapping[str, str]) -> pulumi.Output[str] | None:
    # Only its name: the providers take the URL itself from where it is.
    given = environment.get(VARIABLE)
    if given:
        return pulumi.Output.from_input(_label(given))
    config, _, key = CONFIG.partition(":")
    kept = pulumi.Config(config).get_secret(key)
    return None if kept is None else pulumi.Output.unsecret(kept.apply(_label))


def _label(url: str) -> str:
    try:
        return label(url)
    except CatalogError as error:
        raise pulumi.RunError(str(error)) from None
