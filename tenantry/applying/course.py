"""The course of a run over the current stack: prepare, plan, ask, converge, say what is left.

`tenantry up` and `tenantry destroy` are two uses of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.applying.frozen import check_frozen
from tenantry.errors import TenantryError, did_you_mean, shown
from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.looking import Looker
from tenantry.recovery.preparing import prepare
from tenantry.running.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from tenantry.planning.events import Run
    from tenantry.planning.plan import Plan
    from tenantry.registry.applied import AppliedApp
    from tenantry.running.engine import Target
    from tenantry.running.events import Watch


class Course:
    """One run. Each step is called once, in the order in which they stand here."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        *,
        create: bool = False,
        until: float = 0.0,
    ) -> None:
        """Settle what an earlier run left behind.

        :param folder: the folder of `Pulumi.yaml`, which must be the current one
        :param environment: the variables to run `pulumi` with: backend, passphrase, stack
        :param say: takes a line for each thing that was settled or is waited for
        :param create: make the stack where it is not there yet
        :param until: as for `prepare`
        :raises TenantryError: with a line for each thing that a run must not begin over
        """
        self._folder = folder
        self._environment = environment
        self._say = say
        self.looker = Looker(folder, environment)
        self._unread = check_frozen(self.looker, folder, environment)
        if self._unread:
            say(f"whether an app is frozen cannot be read ({self._unread})")
        if create:
            self._create()
        self.before = prepare(self.looker, environment, say, until=until)
        """What the stack held before the run."""
        self._allowed: Collection[str] = ()
        self._target: Target | None = None
        self._planned: Run | None = None

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.looker.stack

    def allow(self, apps: Collection[str]) -> None:
        """Say which apps may leave or be replaced beside others.

        :raises RecoveryError: neither the stack nor the registry has one
        """
        self._check_known(apps)
        if apps:
            known = {*self.before.apps, *(app.id for app in self.looker.registry.apps)}
            if unknown := _unknown(apps, known):
                raise RecoveryError(
                    f"--allow-destroy: neither the stack nor the registry has {unknown}"
                )
        self._open(apps)

    def take_out(self, named: Sequence[str]) -> list[AppliedApp]:
        """Say which apps leave, whatever the registry says; all that the stack holds where none is named.

        :return: those, as they were applied last
        :raises RecoveryError: the stack does not hold one, or holds it protected
        """
        from tenantry.states.apps import applied_in

        self._check_known(named or [self.stack])
        held = {each.id: each for each in applied_in(self.looker.store.state(self.stack))}
        if unknown := _unknown(named, held):
            raise RecoveryError(f"{self.stack} holds no app {unknown}")
        going = [held[each] for each in named] or list(held.values())
        refused = [
            f"{each.id} was applied last with 'deletion: protect': nothing was changed. Set 'deletion: delete' (or retain), apply, "
            f"then tenantry destroy {each.id}"
            for each in going
            if each.deletion == "protect"
        ]
        if refused:
            raise RecoveryError("\n".join(refused))
        ids = [each.id for each in going]
        if ids:
            self._open(ids, leaving=ids)
        return going

    def plan(self, options: Sequence[str], progress: Callable[[int], None]) -> Plan:
        """Plan the run.

        :param options: more for `pulumi preview`
        :param progress: takes the number of resources that were compared
        :raises PlanError: the engine did not run
        """
        from tenantry.planning.current import plan_target

        made, self._planned = plan_target(
            self._opened, self._folder, allowed=self._allowed, options=options, progress=progress
        )
        return made

    def converge(
        self,
        options: Sequence[str] = (),
        *,
        as_objects: bool = False,
        started: Callable[[int], None] | None = None,
    ) -> bool:
        """Apply, telling what is done. Return whether it succeeded; parameters as for `converging.converge`.

        Those whom the registry's `notify` names are told of its apps.
        """
        from tenantry.applying.converging import converge

        watches: list[Watch] = []
        succeeded = converge(
            self._opened,
            self._folder,
            options,
            planned=self._planned,
            as_objects=as_objects,
            started=started,
            ended=watches.append,
        )
        for watch in watches:
            self._notify(watch, succeeded=succeeded)
        return succeeded

    def _notify(self, watch: Watch, *, succeeded: bool) -> None:
        from tenantry.states.apps import apps_in

        try:
            receivers = self.looker.registry.notify
            after = apps_in(self.looker.store.state(self.stack)) if receivers else ()
        except TenantryError as error:
            self._say(f"notify: nobody is told: {str(error).splitlines()[0]}")
            return
        if receivers:
            # Imported here: most registries name nobody.
            from tenantry.applying.notices import notifications_of
            from tenantry.notifying.run_end import tell_all

            told = notifications_of(watch, self.before.apps, after, succeeded=succeeded)
            tell_all(receivers, self._environment, told, self._say)

    def _check_known(self, going: Collection[str]) -> None:
        """Refuse to destroy something that may be frozen."""
        if going and self._unread:
            raise RecoveryError(
                f"whether an app is frozen cannot be read ({self._unread}): nothing is destroyed before the catalog answers"
            )

    def _create(self) -> None:
        if self.stack in self.looker.store.stacks():
            return
        from tenantry.running.engine import Engine

        made = Engine(self._folder, self._environment).create(self.stack)
        if made.code:
            raise EngineError(f"stack {self.stack}: it cannot be made: {made.errors[0]}")

    def _open(self, allowed: Collection[str], leaving: Collection[str] = ()) -> None:
        from tenantry.running.current import open_current

        self._allowed = allowed
        self._target = open_current(
            self._folder, self._environment, stack=self.stack, allowed=allowed, leaving=leaving
        )

    @property
    def _opened(self) -> Target:
        if self._target is None:
            raise RuntimeError("it was not said what may leave")
        return self._target


def _unknown(names: Collection[str], known: Collection[str]) -> str:
    return ", ".join(
        f"{shown(each)}{did_you_mean(each, known)}" for each in names if each not in known
    )
