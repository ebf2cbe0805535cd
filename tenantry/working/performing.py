"""One operation: what it does to the app's stack, and how it ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tenantry.errors import TenantryError
from tenantry.fleet.errors import FleetError
from tenantry.fleet.failures import kind_of
from tenantry.fleet.fleet import Fleet
from tenantry.fleet.frozen import FrozenError
from tenantry.fleet.scheduling import Policy
from tenantry.fleet.selection import Selection
from tenantry.fleet.user_graphs import make_user_graph, remove_user_graph, stack_of
from tenantry.registry.asked import AskedError, row_app
from tenantry.registry.names import own_stack
from tenantry.retries import RetryPolicy
from tenantry.selfservice.source import check_only_asked
from tenantry.working.takeover import free

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tenantry.fleet.events import Event, Result, Summary
    from tenantry.registry import App
    from tenantry.registry.asked import AskedRow
    from tenantry.registry.models import Registry
    from tenantry.running.engine import Lease
    from tenantry.selfservice.claims import Engine
    from tenantry.selfservice.operations import ErrorKind, Operation
    from tenantry.working.settings import WorkerSettings

    Tell = Callable[[Event], None]

ONCE = Policy(passing=RetryPolicy(attempts=1, first_delay=0), busy_for=0.0)
"""The queue tries again, so that a slot is not held while nothing is done."""


@dataclass(frozen=True)
class Ended:
    """How an operation's work ended."""

    kind: Literal["done"] | ErrorKind
    changed: bool = False
    reason: str = ""
    """One line, where it is not done."""
    frozen: bool = False
    """Whether it waits for the end of a freeze."""


class Performance:
    """The work of one operation, in a thread of its own. It may be stopped from another one."""

    def __init__(self, settings: WorkerSettings, lease: Lease, actor: str) -> None:
        """Open the project's folder; no backend and no cloud is asked.

        :param actor: who asked for it: the stack's history says so
        """
        environment = {**settings.environment, "TENANTRY_ACTOR": actor}
        self._fleet = Fleet(
            settings.folder, environment=environment, policy=ONCE, lease=lease, recorded=False
        )

    def stop(self) -> None:
        """Let the engine end after its current steps; at once when it is called again."""
        # The first call of `Fleet.stop` is about apps that have not begun, and here is but one.
        self._fleet.stop()
        self._fleet.stop()

    def free(self, stack: str, engines: Sequence[Engine]) -> int:
        """Delete what engines of lost workers left locked; as `takeover.free`."""
        return free(self._fleet.project.store, stack, engines)

    def apply(self, registry: Registry, row: AskedRow, *, may_destroy: bool, tell: Tell) -> Ended:
        """Bring an app to what its row and its plan say.

        :param may_destroy: whether what replaces data is allowed
        """
        try:
            check_only_asked(registry, [row])
            app = row_app(registry, row)
            outlook = self._fleet.look(
                removals=False,
                allowed={app.id} if may_destroy else (),
                desired=self._fleet.project.desired_app(app),
            )
            outlook.frozen.check(app.id)
            summary = self._fleet.up(
                outlook=outlook, allowed={app.id} if may_destroy else (), tell=tell
            )
        except TenantryError as error:
            return _refused(error)
        return _ended(summary)

    def remove(self, registry: Registry, row: AskedRow, tell: Tell) -> Ended:
        """Let an app go, as the `deletion` says that it was applied with last.

        An app that never had a stack is gone already.
        """
        try:
            check_only_asked(registry, [row])
            if own_stack(row.app_id) not in self._fleet.project.store.stacks():
                return Ended("done")
            app = _to_remove(registry, row)
            summary = self._fleet.destroy(
                Selection(only=frozenset({row.app_id})),
                desired=self._fleet.project.desired_app(app),
                tell=tell,
            )
        except TenantryError as error:
            return _refused(error)
        return _ended(summary)

    def graph(self, registry: Registry, operation: Operation, tell: Tell) -> Ended:
        """Make or delete the graph of a user of an app of the file."""
        act = make_user_graph if operation.kind == "graph" else remove_user_graph
        try:
            app = registry.app(operation.app_id)
            return _ended(act(self._fleet, app, operation.subject or "", tell=tell))
        except LookupError as error:
            return Ended("lasting", reason=str(error.args[0]))
        except TenantryError as error:
            return _refused(error)

    def stack_of(self, registry: Registry, operation: Operation) -> str:
        """Return the name of the stack that an operation works on."""
        if operation.subject is None or not registry.declares(operation.app_id):
            return own_stack(operation.app_id)
        return stack_of(self._fleet, registry.app(operation.app_id), operation.subject)


def _to_remove(registry: Registry, row: AskedRow) -> App:
    """Return the app of the row; where its plan is gone, one that has its names. The state says what is let go."""
    from tenantry.registry.models import App, Location

    with suppress(AskedError):
        return row_app(registry, row)
    known = {tenant.label: (tenant.name, tenant.contact) for tenant in registry.tenants}
    name, contact = known.get(row.tenant, (row.tenant, None))
    return App(
        id=row.app_id,
        namespace=registry.namespace,
        tenant=row.tenant,
        tenant_name=name,
        contact=contact,
        name=row.name,
        environment="development",
        region=str(row.overrides.get("region", "")),
        location=Location(row.place, 0),
    )


def _refused(error: TenantryError) -> Ended:
    """Judge what no engine was between: a rule, a registry that is not valid, a backend that is away."""
    if isinstance(error, FrozenError):
        return Ended("busy", reason=str(error), frozen=True)
    lasting = isinstance(error, FleetError) and not error.may_pass
    return Ended("lasting" if lasting else kind_of(error), reason=str(error).splitlines()[0])


def _ended(summary: Summary) -> Ended:
    if not summary.results:
        return Ended("done")
    (result,) = summary.results
    return _of(result)


def _of(result: Result) -> Ended:
    if result.reason or result.outcome in {"failed", "busy", "stopped", "not started"}:
        kind = result.kind or ("stopped" if result.outcome == "not started" else "lasting")
        return Ended(kind, reason=result.reason or "it was asked to end")
    return Ended("done", changed=result.outcome != "unchanged")
