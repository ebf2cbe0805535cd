"""Asks everything that is judged: states, locks, the registry, the clouds. Changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.judging import Cloud, Declared, Facts, Live
from tenantry.registry import tokens
from tenantry.running.settings import project_name
from tenantry.running.stack import configuration, selected
from tenantry.states.errors import CutOffError
from tenantry.states.state import Held, read_state
from tenantry.states.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tenantry.aura.client import AuraClient
    from tenantry.aura.models import InstanceSummary
    from tenantry.neon.client import NeonApi, NeonProject
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
        # The current one too where nothing was applied to it yet.
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
        """The registry.

        :raises RegistryError: it is not valid
        """
        from tenantry.registry import load

        return load(self.registry_file)

    def facts(self, *, twice: bool = True) -> Facts:
        """Ask everything.

        :param twice: read the states after the clouds' lists too. What a run makes meanwhile is then rather in a state
            and not yet in a list than in a list alone, as an orphan is
        :raises TenantryError: something cannot be asked
        """
        declared = self.declared()
        locks = self.locks()
        namespaces = {self.registry.namespace}
        states = self.states()
        neon = self._neon(namespaces, states)
        aura = self._aura(namespaces, states)
        return Facts(
            stack=self.stack,
            states=self.states() if twice else states,
            locks=locks,
            neon=neon,
            aura=aura,
            declared=declared,
            now=datetime.now(UTC),
            landing=self.landing,
        )

    def facts_of_pending(self, state: StackState, locks: Iterable[Lock]) -> Facts:
        """Ask the cloud only about what this stack's pending creates need; nothing where none is pending.

        :raises TenantryError: something cannot be asked
        """
        creating = [each for each in state.pending if each.operation == "creating" and each.wanted]
        facts = Facts(
            stack=state.stack,
            states=[state],
            locks=[lock for lock in locks if lock.stack == state.stack],
            now=datetime.now(UTC),
            landing=self.landing,
        )
        names = {
            kind: {each.wanted.name for each in creating if each.type == kind and each.wanted}
            for kind in (tokens.PROJECT, tokens.INSTANCE)
        }
        if not creating:
            return facts
        neon, aura = None, None
        if names[tokens.PROJECT]:
            with self.neon() as api:
                found = _together(api, self.organization, names[tokens.PROJECT])
            live = [_live_project(each) for each in found if each.name in names[tokens.PROJECT]]
            neon = Cloud("project", live)
        if names[tokens.INSTANCE]:
            aura = self._instances(lambda live: live.name in names[tokens.INSTANCE], [])
        # Another stack may hold what is found.
        return replace(facts, states=self.states(), neon=neon, aura=aura, declared=self.declared())

    @cached_property
    def organization(self) -> str:
        """The Neon organization that runs work in; empty where the key implies it."""
        return (
            self.configuration.get("tenantry:neonOrgId")
            or self._environment.get("NEON_ORG_ID")
            or ""
        )

    def neon(self) -> NeonApi:
        """Connect to Neon with the key that a run would use.

        :raises RecoveryError: there is none
        """
        from tenantry.neon.client import API_URL, NeonApi

        key = self.configuration.get("neon:apiKey") or self._environment.get("NEON_API_KEY")
        if not key:
            raise RecoveryError(
                "no key for the Neon API: set NEON_API_KEY, or pulumi config set --secret neon:apiKey"
            )
        return NeonApi(api_key=key, url=self._environment.get("NEON_API_URL") or API_URL)

    def aura(self) -> AuraClient:
        """Connect to Aura as a run would.

        :raises AuraSettingsError: something is missing or cannot be used
        """
        from tenantry.aura.client import AuraClient
        from tenantry.aura.settings import read_settings

        kept = self.configuration
        return AuraClient(
            read_settings(lambda name: kept.get(f"tenantry:{name}"), self._environment)
        )

    def declared(self) -> dict[str, Declared]:
        """Return what the registry asks for, by the name in the cloud.

        :raises RegistryError: it is not valid
        """
        adopted = _adopted(self.configuration.get("tenantry:adoptGraphs"))
        declared = {}
        for app in self.registry.apps:
            place = {"region": app.region, "PostgreSQL": str(app.database.postgres_version)}
            project = Held(app.id, app.names.project, account=self.organization, place=place)
            declared[project.name] = Declared(project, app.deletion)
            for graph in app.graphs:
                instance = Held(graph.id, graph.name, adopts=adopted.get(graph.id, ""))
                declared[instance.name] = Declared(instance, app.deletion)
        return declared

    def _neon(self, namespaces: set[str], states: Iterable[StackState]) -> Cloud:
        held = {each.id: each for state in states for each in state.projects if each.id}
        # A registry's namespace may have changed: what was applied under the old one is ours too.
        marks = {f"{name}--" for name in namespaces} | {
            f"{each.name.partition('--')[0]}--" for each in held.values() if "--" in each.name
        }
        with self.neon() as api:
            found = _together(api, self.organization, marks)
            ours = {
                each.id: _live_project(each)
                for each in found
                if each.id in held or any(each.name.startswith(mark) for mark in marks)
            }
            # Not in the list: gone, renamed, or in another organization.
            absent = sorted(set(held) - set(ours))
            with ThreadPoolExecutor(_READERS) as readers:
                looked = dict(zip(absent, readers.map(api.project, absent), strict=True))
        ours |= {name: _live_project(each) for name, each in looked.items() if each}
        missing = frozenset(name for name, each in looked.items() if each is None)
        return Cloud("project", list(ours.values()), missing)

    def _aura(self, namespaces: set[str], states: Iterable[StackState]) -> Cloud | None:
        states = list(states)
        held = [each for state in states for each in state.instances]
        pending = any(each.type == tokens.INSTANCE for state in states for each in state.pending)
        wanted = {graph.name for app in self.registry.apps for graph in app.graphs}
        if not (held or pending or wanted):
            return None
        ids = {each.id for each in held}
        marks = tuple(f"{name}--" for name in namespaces)
        return self._instances(
            lambda live: live.id in ids or live.name in wanted or live.name.startswith(marks), held
        )

    def _instances(self, is_ours: Callable[[Live], bool], held: Iterable[Held]) -> Cloud:
        from tenantry.aura.errors import AuraNotFoundError
        from tenantry.aura.models import DESTROYING

        by_id = {each.id: each for each in held if each.id}
        with self.aura() as client:
            listed: dict[str, InstanceSummary] = {}
            for project in {client.settings.tenant_id, *(each.account for each in by_id.values())}:
                listed |= {each.id: each for each in client.instances(project)}
            live = [
                Live(each.id, each.name, each.tenant_id or "", each.created_at)
                for each in listed.values()
            ]
            ours = []
            for each in live:
                if not is_ours(each):
                    continue
                # The list does not say which are on their way out; what a state holds is not asked about.
                if each.id not in by_id:
                    try:
                        if client.instance(each.id).status == DESTROYING:
                            continue
                    except AuraNotFoundError:
                        continue
                ours.append(each)
        return Cloud("graph", ours, frozenset(set(by_id) - set(listed)))


def _together(api: NeonApi, organization: str, searches: Iterable[str]) -> list[NeonProject]:
    found = {
        each.id: each for search in sorted(searches) for each in api.projects(organization, search)
    }
    return list(found.values())


def _live_project(found: NeonProject) -> Live:
    return Live(
        found.id,
        found.name,
        found.organization,
        found.created,
        {"region": found.region, "PostgreSQL": str(found.postgres_version)},
        found.settings,
    )


def _adopted(text: str | None) -> dict[str, str]:
    # Of another form than it should be: the run says so.
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
