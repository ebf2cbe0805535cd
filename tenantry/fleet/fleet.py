"""A fleet: every app of a registry in a stack of its own.

    fleet = Fleet(Path("."))
    summary = fleet.up(Selection(tenants=frozenset({"acme"})), tell=print)

Each operation looks first (`outlook`), without an engine. Then it works on the stacks that it must, a bounded number at
once.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tenantry.fleet.errors import FleetError
from tenantry.fleet.events import Begun, Finished, Result, Summary
from tenantry.fleet.frozen import hold_back, read_frozen
from tenantry.fleet.journal import Journal
from tenantry.fleet.outlook import Outlook, look
from tenantry.fleet.project import Project
from tenantry.fleet.scheduling import Attempted, Policy, Schedule
from tenantry.fleet.selection import Selection
from tenantry.fleet.user_stacks import with_users
from tenantry.fleet.workers import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from components.tenant_app import TenantApp
    from tenantry.fleet.attempts import Attempts
    from tenantry.fleet.events import Event
    from tenantry.fleet.inputs import Desired
    from tenantry.fleet.selection import Shard
    from tenantry.fleet.tasks import Task
    from tenantry.planning.drift import Drift
    from tenantry.planning.events import Run
    from tenantry.planning.plan import Plan
    from tenantry.running.engine import Engine, Lease, Operation

    Declared = Callable[[list[TenantApp]], None]
    Tell = Callable[[Event], None]
    Attempt = Callable[[Attempts, Task, Tell], Attempted]

EVERYTHING: Final = Selection()


def silent(_event: Event) -> None:
    """Tell nobody."""


class Fleet:
    """The fleet of one project's folder."""

    def __init__(
        self,
        folder: Path,
        *,
        registry: Path | None = None,
        environment: Mapping[str, str] | None = None,
        policy: Policy | None = None,
        lease: Lease | None = None,
        recorded: bool = True,
    ) -> None:
        """Read what the folder says; no backend and no cloud is asked.

        :param folder: the folder of `Pulumi.yaml`
        :param registry: the registry's file; by default the setting `tenantry:registry`, or `tenants.yaml`
        :param environment: the variables that runs have (backend, passphrase, keys of the clouds); by default this
            process's, or those of the folder's local run
        :param policy: when an app is tried again
        :param lease: what the work of its engines is bound to
        :param recorded: whether each run leaves a record in the folder; the service keeps its own in the catalog
        :raises LocalCloudError: the folder has no `Pulumi.yaml`, the local cloud is not running
        """
        self.project = Project.open(folder, registry=registry, environment=environment)
        self._policy = policy or Policy()
        self._lease = lease
        self._recorded = recorded
        self._schedule: Schedule[Task] | None = None
        self._engine: Engine | None = None
        self._stops = 0

    def stop(self) -> None:
        """End the operation that runs; may be called from a signal's handler.

        After the first call nothing new begins. After the second, work in flight ends with its current steps; after the
        third, at once.
        """
        self._stops += 1
        if self._schedule is not None:
            self._schedule.stop()
        if self._stops > 1 and self._engine is not None:
            self._engine.stop()

    def look(
        self,
        selection: Selection = EVERYTHING,
        *,
        every: bool = False,
        allowed: Collection[str] = (),
        removals: bool = True,
        users: bool = True,
        desired: Desired | None = None,
    ) -> Outlook:
        """Say what `up` would do, without starting an engine; parameters as there.

        :param removals: look for apps that left the registry
        :param users: look for the graphs of users who signed up
        :param desired: what to take for the registry
        :raises TenantryError: the registry, the selection or the states cannot be used; one line for each fault
        """
        # Before the registry: of a stack that is made meanwhile, the row might not have been read.
        stacks = self.project.store.stacks()
        wanted = self.project.desired() if desired is None else desired
        permitted = {*self.project.allowed, *allowed}
        outlook = look(
            self.project,
            wanted,
            selection,
            stacks,
            every=every,
            allowed=permitted,
            removals=removals,
            users=users,
        )
        frozen = read_frozen(self.project, wanted.registry.namespace)
        return hold_back(outlook, frozen, may_destroy=bool(permitted))

    def up(
        self,
        selection: Selection = EVERYTHING,
        *,
        every: bool = False,
        allowed: Collection[str] = (),
        parallel: int | None = None,
        tell: Tell = silent,
        outlook: Outlook | None = None,
    ) -> Summary:
        """Converge: apply the apps whose inputs changed since their last success; let go those that left the registry.

        :param every: apply also apps that nothing changed about
        :param allowed: ids of apps that may go, or lose something for good, beside others
        :param parallel: how many stacks at once; by default as many as cores and memory allow (`workers`)
        :param tell: is told what happens, in this thread
        :param outlook: what `look` said, where somebody was asked in between
        :raises TenantryError: the run is refused, or what it needs cannot be read; nothing was changed
        """
        outlook = outlook or self.look(selection, every=every, allowed=allowed)
        outlook.check()
        permitted = {*self.project.allowed, *allowed}

        def attempt(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            return attempts.apply(task, permitted, tell, every=every)

        return self._run("up", outlook, attempt, selection, parallel, tell)

    def up_reviewed(
        self,
        reviewed: Plan,
        *,
        parallel: int | None = None,
        tell: Tell = silent,
    ) -> Summary:
        """Apply what a kept plan says, and nothing else: its apps, with the permissions that it has.

        No engine is asked whether it still holds: the registry, the program, the settings and the states are compared.

        :param reviewed: what `plan` made, and `planning.keeping` kept
        :raises TenantryError: something moved since, or as for `up`; one line for each, nothing was changed
        """
        from tenantry.fleet.planning import apps_of, moved_since, stacks_of

        apps = apps_of(reviewed)
        if not apps:
            return Summary("up", (), 0, 0.0)
        selection = Selection(only=apps)
        outlook = self.look(selection, every=True, allowed=reviewed.allowed)
        outlook.check()
        stacks = stacks_of(outlook, self.project.folder, self.project.store)
        if lines := moved_since(reviewed, stacks):
            raise FleetError("\n".join(lines))
        return self.up(
            selection,
            every=True,
            allowed=reviewed.allowed,
            parallel=parallel,
            tell=tell,
            outlook=outlook,
        )

    def plan(
        self,
        selection: Selection = EVERYTHING,
        *,
        every: bool = False,
        allowed: Collection[str] = (),
        parallel: int | None = None,
        tell: Tell = silent,
    ) -> tuple[Plan, Summary]:
        """Preview what `up` would do, in the registry's own words; parameters as there. Takes no lock.

        Where the whole run would be refused, the plan holds the refusals and nothing else. Of an app that has no stack
        yet it says what is declared, without asking the engine.

        :return: the plan, and how each preview ended
        :raises TenantryError: as for `look`
        """
        from tenantry.fleet import planning
        from tenantry.planning.monthly import with_cost

        outlook = self.look(selection, every=every, allowed=allowed)
        if outlook.refused:
            return planning.refused_plan(outlook), Summary("plan", (), len(outlook.unchanged), 0.0)
        permitted = {*self.project.allowed, *allowed}
        # Taken before the previews, so that what another run changes meanwhile is noticed.
        stacks = planning.stacks_of(outlook, self.project.folder, self.project.store)
        runs: dict[str, Run] = {}

        def attempt(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            if task.purpose == "create":
                return Attempted(Result(task.app, task.stack, "planned"))
            operation: Operation = "preview" if task.inputs else "preview destroy"
            run, attempted = attempts.observe(
                operation, task, permitted if task.inputs else {task.app}, tell
            )
            runs[task.stack] = run
            differs = any(step.operation != "same" for step in run.resources)
            return attempted.as_look("planned" if differs else "unchanged")

        def attempt_all(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            own = attempt(attempts, task, tell)
            return with_users(own, task, lambda user: attempt(attempts, user, tell))

        summary = self._run("plan", outlook, attempt_all, selection, parallel, tell)
        made = planning.plan_of_fleet(outlook, runs, allowed, () if summary.failed else stacks)
        return with_cost(made, lambda: self.project.source.read().registry.prices), summary

    def drift(
        self,
        selection: Selection = EVERYTHING,
        *,
        deep: bool = False,
        share: Shard | None = None,
        parallel: int | None = None,
        tell: Tell = silent,
    ) -> tuple[Drift, Summary]:
        """Say what differs between the clouds and the states. Changes nothing, takes no lock.

        The clouds are asked for their lists: a handful of requests, and no engine. `deep` also asks about each resource
        of the selected apps that have a stack: several requests and an engine for each.

        :param share: the part of them that is looked into deep; all by default
        :return: what differs, and how each deep look ended
        :raises TenantryError: the registry, the states, the selection or the clouds cannot be used
        """
        from tenantry.fleet.listing import list_drift

        found = list_drift(self.project, selection)
        if not deep:
            return found, Summary("drift", (), 0, 0.0)
        part = selection if share is None else replace(selection, shard=share)
        looked, summary = self._looked(part, parallel, tell)
        return found.and_deeper(looked), summary

    def _looked(
        self,
        selection: Selection,
        parallel: int | None,
        tell: Tell,
    ) -> tuple[Drift, Summary]:
        from tenantry.planning.drift import drift_of

        outlook = self.look(selection, every=True, removals=False)
        there = tuple(task for task in outlook.tasks if task.purpose == "update")
        runs: dict[str, Run] = {}

        def attempt(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            run, attempted = attempts.observe("look", task, (), tell)
            if attempted.failure is not None:
                return attempted
            runs[task.stack] = run
            return attempted.as_look("drifted" if drift_of([run]).differences else "unchanged")

        def attempt_all(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            own = attempt(attempts, task, tell)
            return with_users(own, task, lambda user: attempt(attempts, user, tell))

        summary = self._run(
            "drift",
            replace(outlook, tasks=there, unchanged=()),
            attempt_all,
            selection,
            parallel,
            tell,
        )
        return drift_of(list(runs.values())), summary

    def destroy(
        self,
        selection: Selection,
        *,
        confirmed: str = "",
        parallel: int | None = None,
        tell: Tell = silent,
        desired: Desired | None = None,
    ) -> Summary:
        """Destroy the selected apps' stacks, or give up their projects, as the `deletion` says that was applied last.

        A protected app is refused. Apps that `selection.only` names may go, a tenth of the fleet at most. With the
        registry's namespace in `confirmed`, any number may.

        :param desired: what to take for the registry
        :raises TenantryError: it is refused; nothing was changed
        """
        outlook = self.going(selection, confirmed=confirmed, desired=desired)

        def attempt(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            return attempts.remove(task, tell)

        return self._run("destroy", outlook, attempt, selection, parallel, tell)

    def apply_one(
        self,
        outlook: Outlook,
        declared: Declared,
        tell: Tell,
    ) -> Summary:
        """Apply the one app of an outlook. `declared` gets its component in the program, where values are at hand."""
        outlook.check()

        def attempt(attempts: Attempts, task: Task, tell: Tell) -> Attempted:
            return attempts.apply(task, self.project.allowed, tell, every=True, declared=declared)

        return self._run("up", outlook, attempt, EVERYTHING, 1, tell)

    def changed_since(self, revision: str) -> frozenset[str]:
        """Name the apps that differ from the registry at a revision of git.

        :raises TenantryError: the registry cannot be used, now or at that revision
        """
        from tenantry.fleet.revisions import changed_since

        file = self.project.folder / self.project.registry
        return changed_since(self.project.source.read(), file, revision)

    # The operations' common course.

    def _run(
        self,
        operation: str,
        outlook: Outlook,
        attempt: Attempt,
        selection: Selection,
        parallel: int | None,
        tell: Tell,
    ) -> Summary:
        began = time.monotonic()
        if not outlook.tasks:
            summary = Summary(
                operation, (), len(outlook.unchanged), time.monotonic() - began, notes=outlook.notes
            )
            tell(summary)
            return summary
        # Imported here, and before there are threads: with nothing to do nobody pays for the SDK.
        import components.program  # noqa: F401
        from tenantry.fleet.attempts import Attempts
        from tenantry.running.actor import actor_of
        from tenantry.running.engine import Engine

        self._engine = Engine(
            self.project.folder,
            self.project.environment,
            shared_settings=self.project.settings,
            lease=self._lease,
        )
        at_once = min(workers(parallel, shared=self._engine.shared), len(outlook.tasks))
        attempts = Attempts(self.project, outlook.desired, self._engine)
        self._schedule = Schedule(
            lambda task, tell: attempt(attempts, task, tell), workers=at_once, policy=self._policy
        )
        if self._stops:
            self._schedule.stop()
        journal = self._journal(
            {
                "operation": operation,
                "actor": actor_of(self.project.environment),
                "registry": str(self.project.registry),
                "selection": selection.as_json(),
                "workers": at_once,
                "unchanged": len(outlook.unchanged),
                "notes": list(outlook.notes),
            },
        )

        def heard(event: Event) -> None:
            if journal and isinstance(event, Finished):
                journal.add(event.result)
            tell(event)

        heard(Begun(operation, len(outlook.tasks), len(outlook.unchanged), at_once, outlook.notes))
        results: list[Result] = []
        try:
            results = self._schedule.run(outlook.tasks, heard)
        finally:
            summary = Summary(
                operation,
                tuple(results),
                len(outlook.unchanged),
                round(time.monotonic() - began, 2),
                str(journal.file) if journal else "",
                outlook.notes,
            )
            if journal:
                journal.close(summary.counts())
            self._engine.close()
            self._schedule = self._engine = None
            self._stops = 0
        tell(summary)
        return summary

    def _journal(self, facts: Mapping[str, Any]) -> Journal | None:
        return Journal(self.project.folder, facts) if self._recorded else None

    def going(
        self, selection: Selection, *, confirmed: str = "", desired: Desired | None = None
    ) -> Outlook:
        """Find the stacks that `destroy` is about, by what was applied last; parameters and errors as there."""
        from tenantry.fleet.removals import judge_removals

        outlook = self.look(selection, every=True, allowed=selection.only, desired=desired)
        outlook.frozen.check(*sorted(selection.only), destroys=True)
        return judge_removals(outlook, self.project.store, selection, confirmed)
