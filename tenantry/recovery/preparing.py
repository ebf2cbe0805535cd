"""Looks before a run, and says what is left after one that failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.recovery.errors import HeldError, RecoveryError
from tenantry.recovery.judging import AGAIN, judge
from tenantry.recovery.settling import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenantry.recovery.judging import Finding
    from tenantry.recovery.looking import Looker
    from tenantry.states.state import StackState

_PAUSE: Final = 2.0
"""Seconds between two looks for a create that may still land."""


def prepare(
    looker: Looker,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    *,
    until: float = 0.0,
) -> StackState:
    """Settle what an earlier run left behind, and return the state that the next one begins with.

    The cloud is asked only where a create is pending. One that is not in the cloud, and was sent less than a minute
    ago, is waited for.

    :param say: takes a line for each thing that was settled or is waited for
    :param until: till then another run that holds the stack is waited for, by `time.monotonic`; by default not at all
    :raises HeldError: another run is at work on the stack
    :raises RecoveryError: with a line for each thing that a run must not begin over
    :raises TenantryError: something cannot be asked
    """
    told: set[str] = set()
    while True:
        locks = looker.locks()
        state = looker.state()
        if not state.pending and not any(lock.stack == looker.stack for lock in locks):
            return state
        findings = [
            each
            for each in judge(looker.facts_of_pending(state, locks))
            if each.stack == looker.stack and each.kind in {"lock", "pending"}
        ]
        # What only needs time is not stuck: a later look settles it.
        stuck = [each for each in findings if each.blocks and not each.fix and not each.wait]
        held = any(each.kind == "lock" for each in stuck)
        if stuck and not (held and time.monotonic() < until):
            kind = HeldError if held else RecoveryError
            raise kind("\n".join(map(str, stuck)))
        wait = max((_PAUSE if each in stuck else each.wait for each in findings), default=0.0)
        if not wait:
            for each in settle(findings, looker.store, environment, looker.stack):
                say(f"settled: {each}")
            return looker.state()
        for each in findings:
            # Each holder of the stack is told of. How long a request may still land is told once.
            mark = each.key or each.subject
            if (each in stuck or each.wait) and mark not in told:
                told.add(mark)
                say(f"waiting: {each.subject}: {each.text}")
        time.sleep(min(wait, _PAUSE))


def after_failure(looker: Looker, before: StackState) -> list[str]:
    """Say what the state and the cloud hold after a run that failed, and the one command that goes on.

    :param before: the state that the run began with
    :raises TenantryError: something cannot be asked
    """
    facts = looker.facts()
    (after,) = [state for state in facts.states if state.stack == looker.stack]
    findings = judge(facts)
    ours = ", ".join(counted(len(each.live), each.cloud.noun) for each in facts.seen)
    return [
        f"in the state: {_state(before, after)}",
        f"in the cloud, ours by name: {ours}" + ("" if findings else ", all of them in a state"),
        *map(str, findings),
        f"Next, once what is said above is put right: {_next(findings)}",
    ]


def _state(before: StackState, after: StackState) -> str:
    made = [urn for urn, held in after.resources.items() if before.resources.get(urn) != held]
    gone = [urn for urn in before.resources if urn not in after.resources]
    apps = ", ".join(after.apps) or "no app"
    return f"{counted(len(after.resources), 'resource')} of {apps}; this run made {len(made)} and removed {len(gone)}"


def _next(findings: list[Finding]) -> str:
    # What is safe, the next run settles by itself.
    stuck = [each.command for each in findings if each.blocks and not each.fix and not each.wait]
    return next((f"{command}, then {AGAIN}" for command in stuck if command), AGAIN)
