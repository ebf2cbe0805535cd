"""Where a fleet is: the project's folder, its settings, its registry, its states."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tenantry.catalog.errors import CatalogError
from tenantry.catalog.location import CONFIG, VARIABLE
from tenantry.catalog.session import NOT_CONFIGURED
from tenantry.clouds.table import CLOUDS
from tenantry.fleet.errors import FleetError
from tenantry.fleet.inputs import Alone, Desired, desired
from tenantry.registry.graphs import check_free_graphs
from tenantry.registry.permission import allowed_apps
from tenantry.running.local import current_environment
from tenantry.running.settings import project_default
from tenantry.running.stack import setting
from tenantry.selfservice.source import source_of
from tenantry.states.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry import App
    from tenantry.registry.source import RegistrySource
    from tenantry.states.store import Store

SHARED: Final = "fleet"
"""The stack whose file has the settings of all, where they hold secrets."""
SETTINGS: Final = f"Pulumi.{SHARED}.yaml"
"""The settings that all stacks of a fleet share, in the form of a stack's file; it may be missing."""


@dataclass(frozen=True)
class Project:
    """A folder with `Pulumi.yaml`, and the variables that runs in it have."""

    folder: Path
    environment: Mapping[str, str]
    settings: Path
    registry: Path
    """The registry's file, from the folder, or absolute."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        registry: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Project:
        """Find what belongs to a folder; nothing is asked yet.

        :param registry: the registry's file; by default the setting `tenantry:registry`, or `tenants.yaml`
        :param environment: the variables that runs have; by default this process's, or those of the folder's local run
        :raises LocalCloudError: the folder has no `Pulumi.yaml`, the local cloud is not running
        """
        folder = folder.absolute()
        found = current_environment(folder) if environment is None else environment
        settings = folder / SETTINGS
        if registry is None:
            project = cls(folder, found, settings, Path())
            registry = Path(project.setting("tenantry:registry") or "tenants.yaml")
        return cls(folder, found, settings, registry)

    @cached_property
    def name(self) -> str:
        """The project's name in `Pulumi.yaml`."""
        name = self._yaml(self.folder / "Pulumi.yaml").get("name")
        if not isinstance(name, str):
            raise FleetError(f"{self.folder}/Pulumi.yaml: it cannot be read, or has no name")
        return name

    def setting(self, key: str) -> str | None:
        """Return a setting that is no secret: the fleet's own, or the project's default."""
        own = (self._yaml(self.settings).get("config") or {}).get(key)
        if own is None:
            return project_default(self.folder, key)
        return own if isinstance(own, str) else None

    def settings_in(self, file: Path) -> dict[str, Any]:
        """Return what a stack's file sets, secrets encrypted; nothing where there is no such file."""
        return self._yaml(file).get("config") or {}

    @property
    def accounts(self) -> dict[str, str]:
        """By the cloud's name, the account that runs work in; empty where the key implies it."""
        settings = {
            each.account.setting: self.setting(each.account.setting) or "" for each in CLOUDS
        }
        return {each.name: each.account.of(settings, self.environment) for each in CLOUDS}

    @property
    def has_catalog(self) -> bool:
        """Whether runs have a catalog."""
        secret = (self._yaml(self.settings).get("config") or {}).get(CONFIG)
        return bool(self.environment.get(VARIABLE) or secret)

    @property
    def allowed(self) -> frozenset[str]:
        """Apps that settings and environment allow to go."""
        return allowed_apps(self.setting("tenantry:allowDestroy"), self.environment)

    @cached_property
    def store(self) -> Store:
        """The states of the stacks, their locks and their last updates."""
        return open_store(self.environment, self.name, self.folder)

    @property
    def source(self) -> RegistrySource:
        """Where the registry comes from: its file, and the catalog's rows where the file has `self_service`."""
        path = self.folder / self.registry
        if path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())  # as messages should name it
        return source_of(path, self.catalog_url)

    def catalog_url(self) -> str | None:
        """Return the catalog's URL, with its password; None where there is no catalog.

        :raises StackError: the settings hold it, and cannot be decrypted
        """
        return self._catalog_url

    @cached_property
    def _catalog_url(self) -> str | None:
        # Kept: where the settings hold it, it costs a process of the engine.
        if url := self.environment.get(VARIABLE):
            return url
        if not self.has_catalog:
            return None
        return setting({**self.environment, "PULUMI_STACK": SHARED}, CONFIG, folder=self.folder)

    def needed_catalog_url(self) -> str:
        """Return the catalog's URL.

        :raises CatalogError: there is no catalog
        :raises StackError: as for `catalog_url`
        """
        url = self.catalog_url()
        if url is None:
            raise CatalogError(NOT_CONFIGURED)
        return url

    def desired(self) -> Desired:
        """Read the registry.

        :raises RegistryError, TwiceError, SchemaError, GraphError: it cannot be used
        """
        found = desired(self.folder, self.registry, self.environment, self.settings, self.source)
        # Each app's own run sees that app alone.
        check_free_graphs(found.registry.apps)
        return found

    def desired_app(self, app: App) -> Desired:
        """Take one app for the whole registry."""
        return desired(self.folder, self.registry, self.environment, self.settings, Alone(app))

    def _yaml(self, file: Path) -> dict[str, Any]:
        if file not in self._read:
            self._read[file] = _load(file)
        return self._read[file]

    @cached_property
    def _read(self) -> dict[Path, dict[str, Any]]:
        return {}


def _load(file: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise FleetError(f"{file}: it cannot be read: {reason}") from None
    return found if isinstance(found, dict) else {}
