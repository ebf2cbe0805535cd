"""Looks at everything from a folder whose apps have a stack each, and in which no stack is the current one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from tenantry.clouds.table import CLOUDS
from tenantry.fleet.project import SHARED, Project
from tenantry.recovery.looking import Looker
from tenantry.registry.names import app_of
from tenantry.running.errors import StackError
from tenantry.running.stack import configuration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.registry import Registry

_SETTINGS: Final = ("tenantry:registry", *(each.account.setting for each in CLOUDS))
"""Settings that `Pulumi.yaml` may have a default for, and that a look needs."""


class FleetLooker(Looker):
    """As a `Looker`, with the settings that all stacks share in the place of a stack's own."""

    def __init__(self, project: Project, registry: Registry | None = None) -> None:
        """Ask nothing yet.

        :param registry: what its file says; by default it is read when it is needed
        """
        super().__init__(project.folder, project.environment, stack="")
        self._project = project
        self._given = registry

    @cached_property
    def configuration(self) -> dict[str, str]:
        """The settings that all stacks share, secrets in clear. The engine is asked only where there are secrets."""
        shared = self._project.settings_in(self._project.settings)
        defaults = {name: self._project.setting(name) for name in _SETTINGS}
        found = {name: value for name, value in defaults.items() if value}
        if any(isinstance(value, dict) and "secure" in value for value in shared.values()):
            return found | configuration({**self._environment, "PULUMI_STACK": SHARED})
        return found | {name: str(value) for name, value in shared.items()}

    @cached_property
    def registry_file(self) -> Path:
        """The registry's file."""
        return self._project.folder / self._project.registry

    @cached_property
    def registry(self) -> Registry:
        """The registry, with the apps that were asked for.

        :raises RegistryError, TwiceError: it is not valid
        """
        return self._given or self._project.source.read().registry

    def held(self) -> set[str]:
        """Name the apps of which a state holds something in a cloud."""
        return {
            app_of(each.target)
            for state in self.states()
            for held in state.held.values()
            for each in held
        }


def looker_for(folder: Path, environment: Mapping[str, str]) -> Looker:
    """Choose how to look: from the current stack, or over a fleet where there is none.

    :raises FleetError: the folder is no project's
    :raises StackError: `pulumi` does not answer
    """
    fleet = FleetLooker(Project.open(folder, environment=environment))
    stacks = fleet.store.stacks()
    if not any("--" in each for each in stacks):
        return Looker(folder, environment)
    try:
        looker = Looker(folder, environment)
    except StackError:
        return fleet  # none is selected
    return looker if looker.stack in stacks else fleet
