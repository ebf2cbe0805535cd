"""What is ours in the clouds by its mark and in no state: of one stack with all apps, or of a fleet's stacks. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tenantry.recovery.judging import AGAIN, Facts, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tenantry.clouds.cloud import Seen
    from tenantry.recovery.judging import Declared, Finding
    from tenantry.states.state import StackState


def orphans(
    states: Iterable[StackState],
    *,
    seen: Sequence[Seen],
    declared: Mapping[tuple[str, str], Declared],
    again: str = AGAIN,
) -> list[Finding]:
    """Return what no state holds, and names that more than one has, with the command that settles each.

    What one stack of the backend holds is no orphan, whichever stack that is; nor is what a run has begun to make.

    :param states: of all stacks of the backend that may hold something of this registry, read after the clouds were
        asked
    :param seen: what the clouds list that were asked
    :param declared: what the registry asks for, as `Looker.declared` gives it
    :param again: the command that takes over what the registry asks for
    """
    facts = Facts(stack="", states=list(states), seen=seen, declared=declared)
    return [
        replace(found, command=again) if found.command == AGAIN else found
        for found in judge(facts)
        if found.kind in {"orphan", "duplicate"}
    ]
