"""What is done to one app's stack, and how it ended. Several of these go on at once, each in a thread of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tenantry.errors import TenantryError
from tenantry.fleet.asked import row_changed
from tenantry.fleet.events import Noted, Progress, Result
from tenantry.fleet.failures import Failure, failure, kind_of
from tenantry.fleet.renaming import rename_stack
from tenantry.fleet.scheduling import Attempted
from tenantry.fleet.user_stacks import with_users
from tenantry.running.engine import Target
from tenantry.running.events import Step
from tenantry.states.history import message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from components.tenant_app import TenantApp
    from tenantry.fleet.events import Event, Outcome
    from tenantry.fleet.inputs import Desired
    from tenantry.fleet.project import Project
    from tenantry.fleet.tasks import Task
    from tenantry.planning.events import Run
    from tenantry.running.engine import Engine, Operation, Ran
    from tenantry.running.events import Said

    Declared = Callable[[list[TenantApp]], None]
    Tell = Callable[[Event], None]


class Attempts:
    """Attempts at the apps of one operation."""

    def __init__(self, project: Project, desired: Desired, engine: Engine) -> None:
        """Do nothing yet.

        :param desired: the registry
        :param engine: runs what is to be run
        """
        self._project = project
        self._desired = desired
        self._engine = engine
        self._busy: set[str] = set()
        """Apps whose stack another run held. Before the next attempt it is checked whether that run is alive."""

    def apply(
        self,
        task: Task,
        allowed: Collection[str],
        tell: Tell,
        *,
        every: bool = False,
        declared: Declared | None = None,
    ) -> Attempted:
        """Bring an app to what the registry says, then the graphs of its users; or let it go where it left.

        :param allowed: apps that may go, or lose something for good
        :param tell: is told what happens
        :param every: also where another run did it meanwhile
        :param declared: is given the app's component in the program, where values are at hand
        """
        if (ended := self._of_another_row(task, tell)) is not None:
            return ended
        own = self._apply_own(task, allowed, tell, every=every, declared=declared)
        if own.failure is not None or not task.users or task.inputs is None:
            return own
        return with_users(own, task, lambda user: self._apply_own(user, allowed, tell, every=every))

    def _of_another_row(self, task: Task, tell: Tell) -> Attempted | None:
        """Leave an app alone whose row has changed since it was read; None where it has not."""
        if task.inputs is None:
            return None
        try:
            if not row_changed(self._project, self._desired.reading, task.inputs.app):
                return None
        except TenantryError as error:
            return _stuck(task, Failure(kind_of(error), str(error)))
        tell(Noted(task.app, "its row has changed since it was read: the next run goes on"))
        return Attempted(Result(task.app, task.stack, "unchanged"))

    def _apply_own(
        self,
        task: Task,
        allowed: Collection[str],
        tell: Tell,
        *,
        every: bool = False,
        declared: Declared | None = None,
    ) -> Attempted:
        inputs = task.inputs
        if inputs is None:
            return self.remove(task, tell)
        if task.source:
            if (stuck := self._rename(task, tell)) is not None:
                return stuck
            task = replace(task, source="", update=None)
        now = self._now(task)
        digest = inputs.users if task.user else inputs.digest
        if now is not None and now.applied(digest) and not every:
            return Attempted(Result(task.app, task.stack, "unchanged"))
        if (stuck := self._settle(task, tell)) is not None:
            return stuck
        ran = self._change(
            "up",
            task,
            self._program(task, allowed, declared),
            tell,
            message(task.app, digest),
        )
        return _attempted(task, ran, "applied" if ran.watch.changes else "unchanged")

    def remove(self, task: Task, tell: Tell) -> Attempted:
        """Destroy an app's stack, or give it up, by the deletion that was applied last.

        The graphs of its users go first: their rows refer to the app's.
        """
        if task.users:
            gone = with_users(
                Attempted(Result(task.app, task.stack, "unchanged")),
                task,
                lambda user: self.remove(user, tell),
            )
            if gone.failure is not None:
                return gone
            task = replace(task, users=())
        # The stack knows an app that was renamed since by its id of before.
        ids = {task.app, *(task.inputs.app.renamed_from if task.inputs else ())}
        if task.source:
            if (stuck := self._rename(task, tell)) is not None:
                return stuck
            task = replace(task, source="", update=None)
        if (stuck := self._settle(task, tell)) is not None:
            return stuck
        without = replace(task, inputs=None)
        ran = self._change(
            "destroy",
            replace(task, purpose="remove"),
            self._program(without, ids),
            tell,
            f"tenantry: {task.app} leaves with deletion {task.deletion}",
        )
        if ran.code == 0 and task.inputs and task.deletion != "retain" and not _whole(task):
            from tenantry.fleet.leftovers import delete_unheld

            try:
                delete_unheld(self._project, self._desired.registry, task.inputs.app, tell)
            except TenantryError as error:
                return _stuck(task, Failure(kind_of(error), str(error)))
        return _attempted(task, ran, "given up" if task.deletion == "retain" else "removed")

    def observe(
        self, operation: Operation, task: Task, allowed: Collection[str], tell: Tell
    ) -> tuple[Run, Attempted]:
        """Do what changes nothing, and read what the engine says of it."""
        from tenantry.planning.previewing import observe

        run, ran = observe(
            Target(self._engine, task.held, self._program(task, allowed)),
            operation,
            happened=self._teller(task, tell),
        )
        return run, _attempted(task, self._note_busy(task, ran), "unchanged")

    def _change(
        self,
        operation: Operation,
        task: Task,
        program: Callable[[], None],
        tell: Tell,
        message: str,
    ) -> Ran:
        """Do what changes something."""
        if task.purpose == "create":
            made = self._engine.create(task.stack)
            if made.code:
                return self._note_busy(task, made)
        happened = self._teller(task, tell)
        ran = self._engine.run(
            operation,
            task.stack,
            program,
            tell=lambda _event, step: happened(step),
            message=message,
        )
        return self._note_busy(task, ran)

    def _teller(self, task: Task, tell: Tell) -> Callable[[Step | Said | None], None]:
        def happened(step: Step | Said | None) -> None:
            if isinstance(step, Step) and step.state != "failed":
                work = step.work
                tell(
                    Progress(
                        task.app, work.operation, f"{work.kind} {work.name}", step.state == "done"
                    )
                )

        return happened

    def _note_busy(self, task: Task, ran: Ran) -> Ran:
        if ran.code and failure(ran.errors).kind == "busy":
            self._busy.add(task.app)
        return ran

    def _program(
        self, task: Task, allowed: Collection[str], declared: Declared | None = None
    ) -> Callable[[], None]:
        from components.program import declare
        from components.settings import Settings
        from components.user_graph import declare_user_graph
        from tenantry.registry.transition import Registered

        def program() -> None:
            read = Settings.read(self._project.environment)
            settings = replace(
                read, registry=self._project.registry, allow_destroy=frozenset(allowed)
            )
            inputs = task.inputs
            if task.user:
                if inputs is not None:
                    declare_user_graph(inputs.app, task.user, settings)
                return
            plans = {task.app: inputs.plan} if inputs and inputs.plan else {}
            # The registry may still have an app that leaves: one that is destroyed by name.
            registry = self._desired.registry
            known = Registered(
                [app for app in registry.apps if inputs or app.id != task.app], registry.limits
            )
            apps = declare([inputs.app] if inputs else [], plans, settings, registered=known)
            if declared is not None:
                declared(apps)

        return program

    def _now(self, task: Task) -> Any:  # noqa: ANN401 an Update or None
        """Look again: another run may have come first."""
        if task.purpose == "create":
            return None
        if not self._project.store.tells_locks:
            return None  # a second look would cost as much as the run
        return self._project.store.last([task.stack]).get(task.stack)

    def _rename(self, task: Task, tell: Tell) -> Attempted | None:
        """Give the stack the name that goes with the app's; None where that was done."""
        for stack in (task.source, task.stack):
            # Whatever the last run says of itself: a renaming that died has left locks of both.
            stuck = self._settle(replace(task, stack=stack, update=None), tell)
            if stuck is not None:
                return stuck
        try:
            rename_stack(self._project.store, task.source, task.stack)
        except TenantryError as error:
            return _stuck(task, failure([str(error)]))
        return None

    def _settle(self, task: Task, tell: Tell) -> Attempted | None:
        """Put right what a run that was cut off left behind in this stack; None where nothing is in the way."""
        settled = task.purpose == "create" or (task.update is not None and task.update.settled)
        if settled and task.app not in self._busy:
            # Where a lock is left nevertheless, the engine says so.
            return None
        from tenantry.recovery.errors import HeldError
        from tenantry.recovery.looking import Looker
        from tenantry.recovery.preparing import prepare

        environment = {**self._project.environment, "PULUMI_STACK": task.stack}
        try:
            prepare(
                Looker(self._project.folder, environment),
                environment,
                lambda text: tell(Noted(task.app, text)),
            )
        except TenantryError as error:
            kind = "busy" if isinstance(error, HeldError) else kind_of(error)
            return _stuck(task, Failure(kind, str(error)))
        return None


def _whole(task: Task) -> bool:
    """Tell whether the last run came to its end, so that the state held all that there was."""
    return task.update is not None and task.update.settled and task.update.result == "succeeded"


def _stuck(task: Task, why: Failure) -> Attempted:
    outcome: Outcome = "busy" if why.kind == "busy" else "failed"
    return Attempted(Result(task.app, task.stack, outcome, reason=why.reason, kind=why.kind), why)


def _attempted(task: Task, ran: Ran, outcome: Outcome) -> Attempted:
    result = Result(
        task.app,
        task.stack,
        outcome,
        changes=dict(ran.watch.changes),
        warnings=tuple(ran.watch.warnings),
    )
    if ran.code == 0:
        return Attempted(result)
    why = failure(ran.errors, interrupted=ran.interrupted, may_pass=ran.may_pass)
    failed: Mapping[str, Outcome] = {"busy": "busy", "stopped": "stopped"}
    return Attempted(
        replace(result, outcome=failed.get(why.kind, "failed"), reason=why.reason, kind=why.kind),
        why,
    )
