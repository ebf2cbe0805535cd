"""Looks at everything from a folder whose apps have a stack each, and in which no stack is the current one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tenantry.fleet.project import Project
from tenantry.recovery.looking import Looker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SETTINGS = ("tenantry:registry", "tenantry:neonOrgId", "tenantry:auraTenantId")


class FleetLooker(Looker):
    """A `Looker` with the settings that all stacks share, instead of a stack's own. Keys come from the environment."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Ask nothing yet; parameters as for `Looker`."""
        super().__init__(folder, environment, stack="")
        self._project = Project.open(folder, environment=environment)

    @cached_property
    def configuration(self) -> dict[str, str]:
        """The shared settings that are no secret."""
        found = {name: self._project.setting(name) for name in _SETTINGS}
        return {name: value for name, value in found.items() if value}


def looker_for(folder: Path, environment: Mapping[str, str]) -> Looker:
    """Choose how to look: from the current stack, or over a fleet where there is none.

    :raises StackError: `pulumi` does not answer
    """
    from tenantry.running.stack import StackError

    fleet = FleetLooker(folder, environment)
    stacks = fleet.store.stacks()
    if not any("--" in each for each in stacks):
        return Looker(folder, environment)
    try:
        looker = Looker(folder, environment)
    except StackError:
        return fleet  # none is selected
    return looker if looker.stack in stacks else fleet
