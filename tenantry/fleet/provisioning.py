"""One app from a script or a service: made or brought up to date, and where to connect."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenantry.fleet.awaiting import awaited
from tenantry.fleet.errors import FleetError
from tenantry.fleet.fleet import Fleet, silent
from tenantry.fleet.selection import Selection
from tenantry.running.stack import outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from components.tenant_app import TenantApp
    from tenantry.fleet.events import Event, Result
    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.tasks import Task
    from tenantry.registry import App


class ProvisioningFailedError(FleetError):
    """The app is not as it is wanted; what was made is in its stack, and another call goes on from there. One line."""

    def __init__(self, result: Result) -> None:
        """Say why.

        :param result: how its run ended
        """
        super().__init__(f"{result.app}: {result.outcome}: {result.reason}")
        self.result = result


@dataclass(frozen=True)
class Provisioned:
    """An app that is as it is wanted. Its secrets are not in its text."""

    app: str
    stack: str
    changed: bool
    """Whether this call changed something."""
    url: str = field(repr=False)
    """Where the app connects, with its password: for migrations, listening and long sessions."""
    pooled_url: str = field(repr=False)
    """The same through the pooler: for many short connections."""
    api_keys: Mapping[str, Mapping[str, str]] = field(repr=False)
    """The app's valid API keys by name and generation (`"1"`)."""


def provision(
    app: str | App,
    *,
    folder: Path | str = ".",
    registry: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[Event], None] = silent,
) -> Provisioned:
    """Bring one app to what the registry says, in a stack of its own, and return where it is.

    It may be called again at any time, and from several threads for several apps. With nothing changed since its last
    success the engine does not run. The URL is then read from the app's stack.

    :param app: the app's id in the registry, or an app model that stands for the whole registry
    :param folder: the folder of `Pulumi.yaml`
    :param registry: the registry's file, from the folder; by default the setting `tenantry:registry`, or `tenants.yaml`
    :param environment: the variables of the run (backend, passphrase, keys of the clouds); by default this process's,
        or those of the folder's local run
    :param tell: is told of each event (`tenantry.fleet.events`) as it happens, in this thread
    :raises TenantryError: the registry does not have the app, is not valid, or a rule refuses the step; nothing was
        changed
    :raises ProvisioningFailedError: the run began and did not end well
    """
    return _bring(_fleet(folder, registry, environment), app, tell)


async def provision_async(
    app: str | App,
    *,
    folder: Path | str = ".",
    registry: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[Event], None] = silent,
) -> Provisioned:
    """Do what `provision` does beside the event loop, in a thread of its own; parameters and errors as there.

    Cancelling it stops the app's run, as `Fleet.stop` does, and it returns when that has ended. The first `cancel` lets
    the engine end after its current steps, the second ends it at once. The next call goes on from there. Also where the
    app was finished by then, it counts as cancelled; the next call finds nothing to do.

    :param tell: is told of each event in the loop's thread; where it fails, the run ends as by a `cancel`
    :raises asyncio.CancelledError: it was cancelled, and nothing is under way any more
    """
    fleet = await asyncio.to_thread(_fleet, folder, registry, environment)
    stops = 0

    def stop() -> None:
        nonlocal stops
        stops += 1
        fleet.stop()
        if stops == 1:
            # The first call is about apps that have not begun, and here is but one.
            fleet.stop()

    return await awaited(lambda hear: _bring(fleet, app, hear), stop, tell)


def _fleet(
    folder: Path | str, registry: Path | str | None, environment: Mapping[str, str] | None
) -> Fleet:
    return Fleet(
        Path(folder),
        registry=None if registry is None else Path(registry),
        environment=environment,
    )


def _bring(fleet: Fleet, app: str | App, tell: Callable[[Event], None]) -> Provisioned:
    outlook = _outlook(fleet, app)
    outlook.frozen.check(app if isinstance(app, str) else app.id)
    if not outlook.tasks:
        (task,) = outlook.unchanged
        return _provisioned(task, _kept(fleet, task.stack, task.app), changed=False)
    (task,) = outlook.tasks
    said: dict[str, Any] = {}
    (result,) = fleet.apply_one(outlook, lambda apps: _keep(apps, said), tell).results
    if result.reason or not said:
        raise ProvisioningFailedError(result)
    return _provisioned(task, said, changed=result.outcome == "applied")


def _outlook(fleet: Fleet, app: str | App) -> Outlook:
    if isinstance(app, str):
        return fleet.look(Selection(only=frozenset({app})), removals=False, users=False)
    return fleet.look(removals=False, users=False, desired=fleet.project.desired_app(app))


def _keep(apps: list[TenantApp], said: dict[str, Any]) -> None:
    """Keep what the program knows once the app is there. The engine's events mask it; asking later costs a process."""
    import pulumi

    (component,) = apps
    found: dict[str, Any] = {"urls": component.urls(), "apiKeys": component.api_keys()}
    pulumi.Output.from_input(found).apply(said.update)


def _kept(fleet: Fleet, stack: str, app: str) -> dict[str, Any]:
    environment = {**fleet.project.environment, "PULUMI_STACK": stack}
    found = outputs(environment, secrets=True, folder=fleet.project.folder)
    return {name: found[name][app] for name in ("urls", "apiKeys")}


def _provisioned(task: Task, values: Mapping[str, Any], *, changed: bool) -> Provisioned:
    return Provisioned(
        app=task.app,
        stack=task.stack,
        changed=changed,
        url=values["urls"]["direct"],
        pooled_url=values["urls"]["pooled"],
        api_keys=values["apiKeys"],
    )
