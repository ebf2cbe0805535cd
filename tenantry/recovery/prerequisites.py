"""What a run needs around it, looked at before anything is up: each thing is there, or a command mends it.

Nothing is changed. Of each cloud one cheap request is asked.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tenantry.clouds.cloud import Cloud
    from tenantry.states.store import Store

_ENGINE: Final = "tenantry engine"
_SKEW: Final = 60.0
"""Seconds that this machine's clock may differ from a cloud's. Some minutes off, signed requests are refused."""


@dataclass(frozen=True)
class Check:
    """One thing that a run needs."""

    name: str
    ok: bool
    text: str
    """What is there, or what is wrong."""
    command: str = ""
    """What mends it, where one command does."""


class UnmetError(TenantryError):
    """A thing is not as a run needs it."""


@dataclass(frozen=True)
class Around:
    """What there is around a folder's runs."""

    checks: Sequence[Check]
    is_up: bool = False
    """Whether the current stack is there."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return all(each.ok for each in self.checks)


def is_up(folder: Path) -> bool:
    """Tell whether the current stack is there. Where that cannot be seen, it is not.

    A state that cannot be read is one all the same.

    :param folder: the folder of `Pulumi.yaml`, which must be the current one
    """
    from tenantry.running.local import current_environment
    from tenantry.running.stack import selected

    try:
        environment = current_environment(folder)
        return selected(environment) in _open_store(folder, environment).stacks()
    except TenantryError:
        return False


def look_around(folder: Path) -> Around:
    """Look at all that runs in a folder need.

    :param folder: the folder of `Pulumi.yaml`, which must be the current one
    :raises LocalCloudError: there is no `Pulumi.yaml`
    """
    from tenantry.running.local import NotRunningError, current_environment

    try:
        prerequisites = Prerequisites(folder, current_environment(folder))
    except NotRunningError:
        checks = Prerequisites(folder, os.environ).check_machine()
        down = Check("local cloud", ok=False, text="is not running", command="tenantry up")
        return Around([*checks, down])
    return Around(prerequisites.check(), prerequisites.is_up)


class Prerequisites:
    """Looks from one folder, with the environment that a run would have."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Ask nothing yet.

        :param folder: the folder of `Pulumi.yaml`, which must be the current one
        :param environment: the variables to run `pulumi` with
        """
        self._folder = folder
        self._environment = environment
        self._checks: list[Check] = []
        self._settings: Mapping[str, str] = {}
        """The stack's own, once they can be read."""
        self._stack_name = ""
        self._answered: datetime | None = None
        self.is_up = False
        """Whether the current stack is there. Known after `check`."""

    def check(self) -> list[Check]:
        """Look at everything, each thing where what it rests on is there.

        :return: a check for each thing, in the order in which they rest on each other
        """
        has_engine = self._machine()
        if has_engine and self._look("states", self._states) and self._look("stack", self._stack):
            self._look("passphrase", self._passphrase)
        self._look("registry", self._registry, "tenantry validate")
        for cloud in self._clouds():
            self._look(cloud.title, partial(self._cloud, cloud))
        self._look("clock", self._clock)
        self._look("catalog", self._catalog)
        return self._checks

    def check_machine(self) -> list[Check]:
        """Look at this machine and the registry alone."""
        self._machine()
        self._look("registry", self._registry, "tenantry validate")
        return self._checks

    def _machine(self) -> bool:
        self._look("Python", self._python)
        has_engine = self._look("engine", self._engine)
        self._look("plugins", self._plugins, _ENGINE)
        return has_engine

    def _look(self, name: str, find: Callable[[], str], command: str = "") -> bool:
        try:
            found = Check(name, ok=True, text=find())
        except TenantryError as error:
            found = Check(
                name, ok=False, text=str(error.reason or error), command=error.way_out or command
            )
        self._checks.append(found)
        return found.ok

    def _python(self) -> str:
        return f"{platform.python_version()}, {sys.executable}"

    def _engine(self) -> str:
        from tenantry.engine.installed import version_of
        from tenantry.engine.pins import PULUMI_MINIMUM
        from tenantry.running.command import find_pulumi

        try:
            command = Path(find_pulumi(self._environment))
        except TenantryError:
            raise UnmetError("there is no pulumi", way_out=_ENGINE) from None
        version = version_of(command)
        if version is None:
            raise UnmetError(f"{command}: does not tell its version", way_out=_ENGINE)
        text = ".".join(map(str, version))
        if version < PULUMI_MINIMUM:
            least = ".".join(map(str, PULUMI_MINIMUM))
            raise UnmetError(f"{command}: {text} is older than {least}", way_out=_ENGINE)
        return f"pulumi {text}, {command}"

    def _plugins(self) -> str:
        from tenantry.engine.ensuring import in_place
        from tenantry.engine.pins import NEON, POSTGRESQL, RANDOM

        if in_place(Path(sys.executable).parent) is None:
            raise UnmetError("those that belong to this version are not beside this command")
        return f"random {RANDOM}, postgresql {POSTGRESQL}, neon {NEON}"

    def _registry(self) -> str:
        from tenantry.registry import RegistryError, load

        try:
            apps = len(load(self._registry_file).apps)
        except RegistryError as error:
            first, more = error.problems[0], len(error.problems) - 1
            raise UnmetError(f"{first}{f' (and {more} more)' if more else ''}") from None
        return f"{self._registry_file.name}: {apps} app{'s' if apps != 1 else ''}"

    def _states(self) -> str:
        self._store.stacks()
        return self._store.where

    def _stack(self) -> str:
        from tenantry.running.stack import selected

        try:
            stack = selected(self._environment)
        except TenantryError as error:
            raise UnmetError(str(error), way_out="set PULUMI_STACK") from None
        self._stack_name = stack
        self.is_up = stack in self._store.stacks()
        return stack if self.is_up else f"{stack}, which is not there yet"

    def _passphrase(self) -> str:
        from tenantry.running.settings import secrets_provider, settings_of
        from tenantry.running.stack import configuration, outputs

        if self.is_up:
            self._settings = configuration(self._environment)
            # The engine decrypts them: with another passphrase it does not.
            outputs(self._environment, secrets=True)
            return "opens the stack's secrets"
        if provider := secrets_provider(settings_of(self._folder, self._stack_name)):
            return f"not needed: the secrets are encrypted with {provider.partition(':')[0]}"
        file = self._environment.get("PULUMI_CONFIG_PASSPHRASE_FILE")
        if self._environment.get("PULUMI_CONFIG_PASSPHRASE"):
            return "set by PULUMI_CONFIG_PASSPHRASE"
        if not file:
            raise UnmetError(
                "there is none to encrypt secrets with",
                way_out="set PULUMI_CONFIG_PASSPHRASE_FILE to the path of a file that has it",
            )
        try:
            empty = not Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UnmetError(
                f"{file}: cannot be read: {error}", way_out="mend PULUMI_CONFIG_PASSPHRASE_FILE"
            ) from None
        if empty:
            raise UnmetError(f"{file}: is empty", way_out="write a passphrase into it")
        return f"in {file}"

    def _clouds(self) -> list[Cloud]:
        """List the clouds that the registry's apps are in; the usual one where it cannot be read."""
        from tenantry.clouds.table import CLOUDS, USUAL, databases
        from tenantry.registry import RegistryError, load

        try:
            apps = load(self._registry_file).apps
        except RegistryError:
            return [USUAL]
        wanted = {USUAL.name, *(app.database.provider for app in apps)}
        return [
            cloud
            for cloud in CLOUDS
            if cloud.name in wanted
            or (cloud.name not in databases() and any(app.graphs for app in apps))
        ]

    def _cloud(self, cloud: Cloud) -> str:
        with cloud.connect(self._settings, self._environment) as client:
            self._answered = client.answers() or self._answered
        account = cloud.account.of(self._settings, self._environment)
        if not account:
            return f"the account of its key: set {cloud.account.variable}, so that another key is refused"
        return f"{account}, which the credentials see"

    def _clock(self) -> str:
        if self._answered is None:
            return "no cloud told its time"
        away = (datetime.now(UTC) - self._answered).total_seconds()
        if abs(away) > _SKEW:
            raise UnmetError(
                f"{abs(away):.0f} s {'ahead of' if away > 0 else 'behind'} the clouds'",
                way_out="sudo timedatectl set-ntp true",
            )
        return "as the clouds'"

    def _catalog(self) -> str:
        from tenantry.catalog.location import CONFIG, VARIABLE, label
        from tenantry.catalog.session import open_catalog

        url = self._environment.get(VARIABLE) or self._settings.get(CONFIG)
        if not url:
            return "none: apps and services are in no catalog, and API keys cannot be verified"
        with open_catalog(url) as connection:
            connection.execute("SELECT 1")
        return label(url)

    @property
    def _registry_file(self) -> Path:
        from tenantry.running.settings import registry_of

        return registry_of(self._folder, self._stack_name)

    @cached_property
    def _store(self) -> Store:
        return _open_store(self._folder, self._environment)


def _open_store(folder: Path, environment: Mapping[str, str]) -> Store:
    from tenantry.running.settings import project_name
    from tenantry.states.store import open_store

    return open_store(environment, project_name(folder))
