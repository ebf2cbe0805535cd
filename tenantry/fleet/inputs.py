"""What an app's stack is to be made from, and a digest of it.

A run leaves the digest in the stack's history, so a later run knows which apps changed without asking the engine. The
order of the registry, its comments, names of files and how a run is made have no part in it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tenantry.catalog.location import VARIABLE, label
from tenantry.clouds.table import CLOUDS
from tenantry.registry import Registry
from tenantry.registry.declared import declared
from tenantry.registry.models import Tenant
from tenantry.registry.schemas import plan_schemas
from tenantry.registry.source import Reading
from tenantry.running.program import program_digest
from tenantry.schemas.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.registry import App
    from tenantry.registry.schemas import SchemaPlan
    from tenantry.registry.source import RegistrySource


@dataclass(frozen=True)
class Inputs:
    """One app with what its stack is made from."""

    app: App
    plan: SchemaPlan | None
    digest: str
    """SHA-256 in hex over the app with its defaults, its schema's revisions, the program and where it runs."""
    users: str = ""
    """The same over what the graph of each user who signed up is made from; empty where users get none."""


@dataclass(frozen=True)
class Desired:
    """A whole registry, by the apps' ids in the registry's order."""

    reading: Reading
    file: Path
    inputs: Mapping[str, Inputs]

    @property
    def registry(self) -> Registry:
        """Every app that is wanted."""
        return self.reading.registry


def desired(
    folder: Path,
    file: Path,
    environment: Mapping[str, str],
    settings: Path,
    source: RegistrySource,
) -> Desired:
    """Read the registry and say what each app's stack is to be made from.

    :param folder: the project's folder
    :param file: the registry's file; a relative one is seen from `folder`
    :param environment: the variables that runs have
    :param settings: the file of settings that all stacks share, which need not exist
    :param source: what is read
    :raises RegistryError, TwiceError: the registry is not valid
    :raises SchemaError: a history cannot be used
    """
    reading, plans = _planned(source.read(), folder / file, folder)
    around = json.dumps(
        [program_digest(), surroundings(folder, environment, settings)], sort_keys=True
    )
    return Desired(
        reading,
        file,
        {
            app.id: Inputs(
                app,
                plan := plans.get(app.id),
                _digest(app, plan, around),
                _digest_of_users(app, around),
            )
            for app in reading.registry.apps
        },
    )


def _planned(
    reading: Reading, path: Path, folder: Path
) -> tuple[Reading, Mapping[str, SchemaPlan]]:
    """Plan the schemas. An app that was asked for and whose plan has none that can be used is left as it is."""
    apps = reading.registry.apps
    try:
        return reading, plan_schemas(apps, path, folder)
    except SchemaError:
        if not any(app.row for app in apps):
            raise
    plans = plan_schemas([app for app in apps if not app.row], path, folder)
    kept = dict(reading.kept)
    for app in apps:
        if app.row:
            try:
                plans |= plan_schemas([app], path, folder)
            except SchemaError as error:
                kept[app.id] = str(error)
    usable = reading.registry.with_apps(app for app in apps if app.id not in kept)
    return replace(reading, registry=usable, kept=kept), plans


class Alone:
    """One app that is taken for the whole registry, which is then not read."""

    def __init__(self, app: App) -> None:
        """Take it."""
        self._app = app

    def read(self) -> Reading:
        """Return it."""
        app = self._app
        tenant = Tenant(label=app.tenant, name=app.tenant_name, contact=app.contact)
        return Reading(Registry(version=1, namespace=app.namespace, tenants=(tenant,), apps=(app,)))


def _digest(app: App, plan: SchemaPlan | None, around: str) -> str:
    schema = json.dumps(asdict(plan)) if plan else ""
    # What was asked for is marked as such in its stack: a hand-over between row and file is applied too.
    text = "\n".join((declared(app), schema, around, *([app.row] if app.row else [])))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_users(app: App, around: str) -> str:
    if app.graphs_per_user is None:
        return ""
    kind = app.graphs_per_user.model_dump(mode="json", exclude={"users"})
    facts = [app.namespace, app.id, app.deletion, app.retries.services.text(), kind]
    text = "\n".join((json.dumps(facts, sort_keys=True), around))
    return hashlib.sha256(text.encode()).hexdigest()


def surroundings(folder: Path, environment: Mapping[str, str], settings: Path) -> dict[str, object]:
    """Say what else decides what is made: which clouds, which accounts, which settings. Nothing in it is secret.

    :raises ValueError: the catalog's URL is none
    """
    catalog = environment.get(VARIABLE)
    configured = [_config(folder / "Pulumi.yaml"), _config(settings)]
    return {
        "config": configured,
        "clouds": {
            cloud.name: [environment.get(name, "") for name in (cloud.url, cloud.account.variable)]
            for cloud in CLOUDS
        },
        "catalog": label(catalog) if catalog else "",
    }


def _config(file: Path) -> Any:  # noqa: ANN401 whatever is written there
    import yaml

    if not file.exists():
        return {}
    # Secrets are encrypted in it, and another ciphertext is another value.
    return (yaml.safe_load(file.read_text("utf-8")) or {}).get("config") or {}
