"""Asks everything that is judged: states, locks, the registry, the clouds. Changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tenantry.catalog.location import CONFIG, VARIABLE
from tenantry.clouds import table
from tenantry.clouds.aura import AURA
from tenantry.clouds.cloud import DatabaseCloud, Held, Ours, Seen
from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.judging import Declared, Facts
from tenantry.running.settings import project_name
from tenantry.running.stack import configuration, selected
from tenantry.selfservice.source import source_of
from tenantry.states.errors import CutOffError
from tenantry.states.state import read_state
from tenantry.states.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tenantry.clouds.cloud import Client, Cloud
    from tenantry.registry import Registry
    from tenantry.states.locks import Lock
    from tenantry.states.state import StackState

LANDING: Final = "TENANTRY_LANDING_SECONDS"
_LANDING_SECONDS: Final = 60.0
_READERS: Final = 8


class Looker:
    """What there is to see from one folder, with one environment. Each part is read when it is asked for."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, stack: str | None = None
    ) -> None:
        """Ask nothing yet.

        :param folder: the folder of `Pulumi.yaml`
        :param environment: the variables to run `pulumi` with
        :param stack: which stack is the current one; empty for none; by default the one that is selected
        """
        self._folder = folder
        self._environment = environment
        self.store = open_store(environment, project_name(folder))
        self.stack = selected(environment) if stack is None else stack
        self.landing = _landing(environment)

    def locks(self) -> list[Lock]:
        """Read the locks of all stacks of this project."""
        return self.store.locks()

    def state(self) -> StackState:
        """Read the current stack's state."""
        return read_state(self.stack, self.store.state(self.stack))

    def states(self) -> list[StackState]:
        """Read the states of all stacks of this project."""
        # The current stack is listed also where nothing was applied to it yet.
        names = sorted({*self.store.stacks(), *([self.stack] if self.stack else [])})
        with ThreadPoolExecutor(_READERS) as readers:
            return [
                read_state(name, content)
                for name, content in zip(names, readers.map(self.store.state, names), strict=True)
            ]

    def cut_off(self) -> list[CutOffError]:
        """Find the stacks of this project whose states were cut off."""
        found = []
        for stack in sorted(self.store.stacks()):
            try:
                self.store.state(stack)
            except CutOffError as error:
                found.append(error)
        return found

    @cached_property
    def configuration(self) -> dict[str, str]:
        """The stack's own settings."""
        return configuration(self._environment)

    @cached_property
    def registry_file(self) -> Path:
        """The registry's file, from the folder of `Pulumi.yaml`."""
        return self._folder / self.configuration.get("tenantry:registry", "tenants.yaml")

    @cached_property
    def registry(self) -> Registry:
        """The registry, with the apps that were asked for.

        :raises RegistryError, TwiceError: it is not valid
        """
        return source_of(self.registry_file, self._catalog_url).read().registry

    def _catalog_url(self) -> str | None:
        return self._environment.get(VARIABLE) or self.configuration.get(CONFIG)

    def facts(self, *, twice: bool = True) -> Facts:
        """Ask everything.

        :param twice: read the states after the clouds' lists too. What a run makes meanwhile is then rather in a state
            and not yet in a list than in a list alone, as an orphan is
        :raises TenantryError: something cannot be asked
        """
        declared = self.declared()
        locks = self.locks()
        states = self.states()
        seen = [
            self._look(cloud, ours)
            for cloud in table.CLOUDS
            if (ours := self._ours(cloud, states, declared)) is not None
        ]
        return Facts(
            stack=self.stack,
            states=self.states() if twice else states,
            locks=locks,
            seen=seen,
            declared=declared,
            now=datetime.now(UTC),
            landing=self.landing,
        )

    def facts_of_pending(self, state: StackState, locks: Iterable[Lock]) -> Facts:
        """Ask the clouds only about what this stack's pending creates need; nothing where none is pending.

        :raises TenantryError: something cannot be asked
        """
        facts = Facts(
            stack=state.stack,
            states=[state],
            locks=[lock for lock in locks if lock.stack == state.stack],
            now=datetime.now(UTC),
            landing=self.landing,
        )
        begun = {cloud: {each.name for each in state.begun(cloud)} for cloud in table.CLOUDS}
        if not any(begun.values()):
            return facts
        seen = [self._look(cloud, Ours(names)) for cloud, names in begun.items() if names]
        # Another stack may hold what is found.
        return replace(facts, states=self.states(), seen=seen, declared=self.declared())

    def connect(self, cloud: Cloud) -> Client:
        """Connect to a cloud as a run would.

        :raises TenantryError: a credential is missing
        """
        return cloud.connect(self.configuration, self._environment)

    def account(self, cloud: Cloud) -> str:
        """Return the account of a cloud that runs work in; empty where the key implies it."""
        return cloud.account.of(self.configuration, self._environment)

    def clouds(self, noun: str, states: Iterable[StackState]) -> list[Cloud]:
        """List the clouds in use here that have projects or graphs, the usual one first.

        :param noun: which: `project`, `graph`
        """
        declared = self.declared() if noun == "project" else {}
        return [
            cloud
            for cloud in table.CLOUDS
            if cloud.noun == noun
            and (
                not isinstance(cloud, DatabaseCloud)
                or self._ours(cloud, states, declared) is not None
            )
        ]

    def declared(self) -> dict[tuple[str, str], Declared]:
        """Return what the registry asks for, by the cloud's name and the name there.

        :raises RegistryError: it is not valid
        """
        adopted = _adopted(self.configuration.get("tenantry:adoptGraphs"))
        declared = {}
        for app in self.registry.apps:
            cloud = table.databases()[app.database.provider]
            place = {"region": app.region, "PostgreSQL": str(app.database.postgres_version)}
            project = Held(app.id, app.names.project, account=self.account(cloud), place=place)
            declared[cloud.name, project.name] = Declared(project, app.deletion)
            for graph in app.graphs:
                instance = Held(graph.id, graph.name, adopts=adopted.get(graph.id, ""))
                declared[AURA.name, instance.name] = Declared(instance, app.deletion)
        return declared

    def _ours(
        self,
        cloud: Cloud,
        states: Iterable[StackState],
        declared: Iterable[tuple[str, str]],
    ) -> Ours | None:
        """Say how our things are known in a cloud; None where it need not be asked."""
        states = list(states)
        held = [each for state in states for each in state.of(cloud)]
        names = {name for where, name in declared if where == cloud.name}
        begun = any(pending.type == cloud.type for state in states for pending in state.pending)
        if not (held or names or begun or cloud is table.USUAL):
            return None
        # A registry's namespace may have changed: what was applied under the old one is ours too.
        spaces = {self.registry.namespace} | {
            each.name.partition("--")[0] for each in held if "--" in each.name
        }
        return Ours(names, {f"{space}--" for space in spaces}, held)

    def _look(self, cloud: Cloud, ours: Ours) -> Seen:
        with self.connect(cloud) as client:
            live, missing = client.look(ours)
        return Seen(cloud, live, missing)


def _adopted(text: str | None) -> dict[str, str]:
    # It has another form than it should. The run reports that.
    try:
        found = json.loads(text or "{}")
        return {graph: str(facts["instance"]) for graph, facts in found.items()}
    except (ValueError, AttributeError, KeyError, TypeError):
        return {}


def _landing(environment: Mapping[str, str]) -> timedelta:
    text = environment.get(LANDING) or str(_LANDING_SECONDS)
    try:
        return timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        raise RecoveryError(f"{LANDING}: write seconds, such as 60, not {text[:40]!r}") from None
