"""Apps that are frozen, in a run over the current stack: a run touches the whole stack, so it does not begin."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tenantry.catalog.errors import CatalogError
from tenantry.catalog.location import CONFIG, VARIABLE
from tenantry.errors import TenantryError
from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.looking import Looker
from tenantry.registry import load
from tenantry.registry.problems import RegistryError
from tenantry.registry.selection import SelectionError, select_for
from tenantry.registry.signed_up import user_graph_in
from tenantry.running.settings import is_set, registry_of, setting_in, settings_of
from tenantry.selfservice.freezes import read_freezes
from tenantry.states.apps import apps_in, resources_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.selfservice.freezes import Freeze


def frozen_in(looker: Looker, folder: Path, environment: Mapping[str, str]) -> list[Freeze]:
    """Return the freezes of the apps that the current stack holds, or is to hold; none where there is no catalog.

    The engine is asked for the settings only where one of them says where the catalog is.

    :param folder: the folder of `Pulumi.yaml`
    :param environment: the variables that the run has
    :raises CatalogError: the catalog cannot be asked
    :raises RegistryError: the registry is not valid
    """
    stack = looker.stack
    url = environment.get(VARIABLE)
    if not url and is_set(folder, stack, CONFIG):
        url = looker.configuration.get(CONFIG)
    if not url:
        return []
    registry = load(registry_of(folder, stack))
    found = read_freezes(url, registry.namespace)
    if not found:
        return []
    state = looker.store.state(stack)
    user = user_graph_in(resources_of(state))
    apps = {*apps_in(state), *([user.app] if user else [])}
    spec = setting_in(settings_of(folder, stack), folder, "tenantry:apps") or "all"
    # What is wrong with it the run itself says.
    with suppress(SelectionError):
        apps |= {app.id for app in select_for(registry, spec, stack)}
    return [each for app, each in found.items() if app in apps]


def check_frozen(looker: Looker, folder: Path, environment: Mapping[str, str]) -> str:
    """Refuse a run over a stack with an app that is frozen.

    :return: why it is not known whether one is; empty where it is known
    :raises RecoveryError: one is; a line for each
    """
    try:
        found = frozen_in(looker, folder, environment)
    except CatalogError as error:
        return str(error).splitlines()[0]
    except RegistryError:
        # The run itself says so, at each place.
        return ""
    if found:
        raise RecoveryError(
            "\n".join(
                f"{each}: nothing was changed. To end that: tenantry thaw {each.app_id}"
                for each in found
            )
        )
    return ""


def lines_on(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Say which apps of the current stack are frozen, a line each; one line where that cannot be read.

    :param folder: the folder of `Pulumi.yaml`
    """
    try:
        found = frozen_in(Looker(folder, environment), folder, environment)
    except TenantryError as error:
        return [f"whether an app is frozen cannot be read ({str(error).splitlines()[0]})"]
    return [f"{each}: no run touches it" for each in found]
