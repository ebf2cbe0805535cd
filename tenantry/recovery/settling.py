"""The safe repairs: of a dead owner's lock, of pending operations that the cloud explains, of a cut-off state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.recovery.errors import RecoveryError
from tenantry.recovery.judging import Finding
from tenantry.running.stack import export_state, import_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tenantry.recovery.looking import Looker
    from tenantry.states.store import Store


def settle(
    findings: Iterable[Finding], store: Store, environment: Mapping[str, str], stack: str
) -> list[Finding]:
    """Do what is safe, and return what was settled.

    Locks are deleted one by one, so that a lock that somebody takes meanwhile stays. The pending operations of the
    current stack are dropped all together, since the engine knows no other way, and so only where each of them is
    explained and no other lock is left.

    :param environment: the variables to run `pulumi` with
    :param stack: the current stack
    :raises StackError: the state cannot be written
    :raises RecoveryError: it changed in the meantime
    """
    findings = list(findings)
    done = []
    for finding in findings:
        if finding.fix == "delete lock":
            store.delete_lock(finding.key)
            done.append(finding)
    mine = [each for each in findings if each.stack == stack]
    pending = [each for each in mine if each.kind == "pending"]
    if pending and not any(each.blocks for each in mine if each not in done):
        _drop({each.key for each in pending}, environment, stack)
        done += pending
    return done


def put_back(looker: Looker) -> list[Finding]:
    """Put the last whole copy in the place of each state that was cut off, and return what was settled.

    :raises StatesError: somebody is at work on the stack
    """
    return [
        Finding("cut off", each.stack, each.stack, f"its last whole copy is back, {each.copy}", "")
        for each in looker.cut_off()
        if looker.store.put_back(each.stack)
    ]


def _drop(urns: set[str], environment: Mapping[str, str], stack: str) -> None:
    state = export_state(environment, stack)
    there = {
        each["resource"]["urn"] for each in state["deployment"].get("pending_operations") or []
    }
    if not there <= urns:
        raise RecoveryError(f"{stack}: another run was cut off in the meantime: tenantry doctor")
    state["deployment"]["pending_operations"] = []
    # The import takes the stack's lock for a moment. It is refused where another run has it.
    import_state(environment, stack, state)
