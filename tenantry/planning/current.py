"""The current stack: what a run would do to it, and what was changed behind its back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tenantry.errors import did_you_mean, shown
from tenantry.planning.digests import program_digest
from tenantry.planning.errors import PlanError
from tenantry.planning.previewing import look, preview

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from tenantry.planning.drift import Drift
    from tenantry.planning.events import Run
    from tenantry.planning.plan import Plan
    from tenantry.running.engine import Target


def plan_current(
    folder: Path,
    allowed: Collection[str] = (),
    *,
    refresh: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Plan:
    """Plan what a run would do to the current stack.

    :param allowed: apps that may leave or be replaced; what the shell allows does not count
    :raises TenantryError: as for `plan_target`; no stack is selected, the local cloud does not run
    """
    from tenantry.planning.monthly import with_cost
    from tenantry.registry import load
    from tenantry.running.current import open_current
    from tenantry.running.local import current_environment
    from tenantry.running.settings import registry_of

    target = open_current(folder, current_environment(folder), allowed=allowed)
    made, _ = plan_target(target, folder, allowed=allowed, refresh=refresh, progress=progress)
    return with_cost(made, lambda: load(registry_of(folder, target.stack)).prices)


def look_at_current(folder: Path, *, progress: Callable[[int], None] = lambda _: None) -> Drift:
    """Compare the current stack with the clouds.

    :param folder: the folder of `Pulumi.yaml`
    :param progress: takes the number of resources that were compared
    :raises TenantryError: they cannot be asked
    """
    from tenantry.planning.drift import drift_of
    from tenantry.running.current import open_current
    from tenantry.running.local import current_environment

    target = open_current(folder, current_environment(folder))
    return drift_of([look(target, progress=progress)])


def plan_target(
    target: Target,
    folder: Path,
    *,
    allowed: Collection[str] = (),
    refresh: bool = False,
    options: Sequence[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Plan, Run]:
    """Plan what a run would do to a stack, and return what the engine said beside it.

    :param folder: the folder of `Pulumi.yaml`
    :param allowed: apps that may leave or be replaced in this run, as the program was told
    :param refresh: look at the cloud first
    :param options: more for `pulumi preview`
    :param progress: takes the number of resources that were compared
    :raises PlanError: the engine did not run; `allowed` names an app that neither the stack nor the registry has
    """
    # While the engine works this process has nothing to do but to read, so it gets ready meanwhile.
    with ThreadPoolExecutor(max_workers=1) as beside:
        digest = beside.submit(program_digest, folder)
        making = beside.submit(_load_plan_of)
        run = preview(target, refresh=refresh, options=options, progress=progress)
        made = making.result()([run], program=digest.result(), allowed=allowed)
    if not made.refusals:
        _check_names(allowed, run)
    return made, run


def _check_names(allowed: Collection[str], run: Run) -> None:
    known = [each.name for each in run.apps]
    unknown = [f"{shown(each)}{did_you_mean(each, known)}" for each in allowed if each not in known]
    if unknown:
        raise PlanError(
            f"--allow-destroy: neither the stack nor the registry has {', '.join(unknown)}"
        )


def _load_plan_of() -> Callable[..., Plan]:
    from tenantry.planning.making import plan_of

    return plan_of
