"""What disagrees between the states, the registry and the cloud, and the one command that settles each. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from tenantry.clouds import table
from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tenantry.clouds.cloud import Cloud, Held, Live, Seen
    from tenantry.states.locks import Lock
    from tenantry.states.state import Pending, StackState

Kind = Literal["cut off", "lock", "pending", "orphan", "duplicate", "gone", "differs"]
Fix = Literal["delete lock", "drop pending"]

FIX: Final = "tenantry doctor --fix"
AGAIN: Final = "tenantry up"

_NOWHERE: Final = ("random:", "pulumi:", "tenantry:")
"""Types that have no counterpart in a cloud."""
_BY_NAME: Final = (tokens.POSTGRES, tokens.DYNAMIC)
"""Types whose create looks first whether the work was done, by a name that is unique where they live. Those of a
cloud are in `Cloud.looks_first`."""


@dataclass(frozen=True)
class Declared:
    """A project or an instance that the registry asks for."""

    wanted: Held
    deletion: str


@dataclass(frozen=True)
class Facts:
    """Everything that is judged."""

    stack: str
    """The stack that commands are about."""
    states: Sequence[StackState]
    locks: Sequence[Lock] = ()
    seen: Sequence[Seen] = ()
    """The answers of the clouds that were asked."""
    declared: Mapping[tuple[str, str], Declared] = field(default_factory=dict)
    """By the cloud's name and the name there."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    landing: timedelta = timedelta(seconds=60)
    """How long after a run died a request that it sent may still take effect."""

    def looked_at(self) -> dict[str, int]:
        """Count the `stacks`, the `locks`, and what the clouds have of ours: `projects`, `graphs`."""
        counts = {"stacks": len(self.states), "locks": len(self.locks)}
        counts |= dict.fromkeys((f"{each.noun}s" for each in table.CLOUDS), 0)
        for each in self.seen:
            counts[f"{each.cloud.noun}s"] += len(each.live)
        return counts


@dataclass(frozen=True)
class Finding:
    """One thing that disagrees."""

    kind: Kind
    stack: str
    """Empty where no stack has it."""
    subject: str
    text: str
    command: str
    """What settles it; empty where there is nothing but to wait."""
    fix: Fix | None = None
    """What `tenantry doctor --fix` does about it."""
    key: str = ""
    """The lock's, or the pending operation's URN."""
    blocks: bool = False
    """Whether a run fails over it, or must not begin over it."""
    wait: float = 0.0
    """Seconds after which it may be judged otherwise."""

    def __str__(self) -> str:
        """Give the one line."""
        stack = f" [{self.stack}]" if self.stack else ""
        command = f": {self.command}" if self.command else ""
        return f"{self.kind}{stack} {self.subject}: {self.text}{command}"


def judge(facts: Facts) -> list[Finding]:
    """Compare everything with everything. What stops a run comes first."""
    busy = {lock.stack for lock in facts.locks if lock.owner != "dead"}
    return [
        *(_lock(lock, facts) for lock in facts.locks),
        *(
            _pending(pending, state, facts)
            for state in facts.states
            if state.stack not in busy
            for pending in _once(state.pending)
        ),
        *(finding for seen in facts.seen for finding in _in_cloud(facts, busy, seen)),
    ]


def _lock(lock: Lock, facts: Facts) -> Finding:
    dead = lock.owner == "dead"
    return Finding(
        "lock",
        lock.stack,
        lock.stack,
        lock.standing(facts.now),
        FIX if dead else "",
        fix="delete lock" if dead else None,
        key=lock.key,
        blocks=True,
    )


def _once(pending: Iterable[Pending]) -> Iterator[Pending]:
    # A create that was cut off twice is there twice.
    seen = set()
    for each in pending:
        if (each.urn, each.operation) not in seen:
            seen.add((each.urn, each.operation))
            yield each


@dataclass(frozen=True)
class _Verdict:
    text: str
    command: str = ""
    explained: bool = False
    wait: float = 0.0


def _pending(pending: Pending, state: StackState, facts: Facts) -> Finding:
    if pending.operation == "creating":
        verdict = _creating(pending, state, facts)
    else:
        # The engine forgets these by itself and finds out anew what is to be done.
        verdict = _Verdict("the next run does it again where it is still needed", explained=True)
    command = verdict.command
    if verdict.explained:
        command = FIX if state.stack == facts.stack else f"PULUMI_STACK={state.stack} {FIX}"
    return Finding(
        "pending",
        state.stack,
        f"{pending.name} ({pending.kind})",
        f"cut off while {pending.operation}: {verdict.text}",
        command,
        fix="drop pending" if verdict.explained else None,
        key=pending.urn,
        blocks=not verdict.explained,
        wait=verdict.wait,
    )


def _creating(pending: Pending, state: StackState, facts: Facts) -> _Verdict:
    if pending.wanted:
        return _created(pending.wanted, pending.type, state, facts)
    if pending.type.startswith(_NOWHERE):
        return _Verdict("nothing of it is in a cloud", explained=True)
    looking = (name for cloud in table.CLOUDS for name in cloud.looks_first)
    if pending.type.startswith((*_BY_NAME, *looking)):
        return _Verdict("the next run looks for it by its name", explained=True)
    return _Verdict(
        f"no rule here knows {pending.type}; look whether it is there and, if not",
        "pulumi refresh --clear-pending-creates",
    )


def _created(wanted: Held, kind: str, state: StackState, facts: Facts) -> _Verdict:
    seen = next((each for each in facts.seen if each.cloud.type == kind), None)
    if seen is None:
        return _Verdict("the cloud was not asked", "tenantry doctor")
    if wanted.adopts:
        return _Verdict(f"the next run takes {wanted.adopts} over", explained=True)
    holders = _holders(facts.states, seen.cloud)
    named = [live for live in seen.live if live.name == wanted.name]
    held = [live for live in named if live.id in holders]
    free = _by_age(live for live in named if live.id not in holders)
    if free:
        return _stray(wanted, held, free, facts, seen.cloud)
    if held:
        return _taken(held[0], holders[held[0].id], state, seen.cloud)
    return _absent(wanted, state, facts, seen.cloud)


def _stray(
    wanted: Held, held: Sequence[Live], free: Sequence[Live], facts: Facts, cloud: Cloud
) -> _Verdict:
    *others, newest = free
    if others or held:
        ids = ", ".join(_seen(live) for live in (*held, *free))
        keep = "the one that a state holds" if held else "the oldest"
        text = f"the cloud has {len(held) + len(free)} {cloud.noun}s of this name ({ids}); to keep {keep}"
    elif not cloud.makes_again:
        text = f"{_seen(newest)}, has this name, and its password was lost with the answer"
    elif differences := _differences(wanted, newest):
        text = f"{_seen(newest)}, has this name and differs ({differences}); if it is not needed"
    else:
        return _Verdict(
            f"{_seen(newest)}, has this name, and the next run takes it over", explained=True
        )
    return _Verdict(text, _deletion(facts, cloud, newest))


def _taken(live: Live, holder: str, state: StackState, cloud: Cloud) -> _Verdict:
    if holder == state.stack:
        return _Verdict(f"it was made, and the state holds {live.id}", explained=True)
    return _Verdict(
        f"stack {holder} holds {cloud.noun} {live.id} of this name, and an app belongs into one stack; choose this one's",
        "pulumi config set tenantry:apps TENANT/APP,…",
    )


def _absent(wanted: Held, state: StackState, facts: Facts, cloud: Cloud) -> _Verdict:
    absent = f"the cloud has no {cloud.noun} {wanted.name}"
    left = (state.written + facts.landing - facts.now).total_seconds()
    if left > 0:
        text = f"{absent}, and the request may still land for {left:.0f} s"
        return _Verdict(text, FIX, wait=left)
    return _Verdict(f"{absent}: it did not happen", explained=True)


def _in_cloud(facts: Facts, busy: set[str], seen: Seen) -> Iterator[Finding]:
    cloud = seen.cloud
    live = {each.id: each for each in seen.live}
    yield from _orphans(facts, seen)
    for state in facts.states:
        if state.stack in busy:
            continue
        going = {
            pending.wanted.id
            for pending in state.pending
            if pending.wanted and pending.operation == "deleting"
        }
        for held in state.of(cloud):
            if held.id in going:
                continue
            again = AGAIN if state.stack == facts.stack else f"PULUMI_STACK={state.stack} {AGAIN}"
            if held.id in seen.missing:
                yield Finding(
                    "gone",
                    state.stack,
                    held.target,
                    f"{cloud.noun} {held.id} is in the state and not in the cloud: {cloud.regaining}",
                    f"{again} -- --refresh",
                )
            elif held.id in live and (differences := _differences(held, live[held.id], name=True)):
                yield Finding(
                    "differs",
                    state.stack,
                    held.target,
                    f"{cloud.noun} {held.id} is not as the state has it ({differences}); to see what a run would do about it",
                    "tenantry plan --refresh",
                )


def _orphans(facts: Facts, seen: Seen) -> Iterator[Finding]:
    cloud = seen.cloud
    holders = _holders(facts.states, cloud)
    # What a run is making, or made when it was cut off, is in the cloud before it is in the state.
    begun = {each.name for state in facts.states for each in state.begun(cloud)}
    by_name = defaultdict(list)
    for live in seen.live:
        by_name[live.name].append(live)
    for name, named in sorted(by_name.items()):
        free = _by_age(live for live in named if live.id not in holders)
        if not free or name in begun:
            continue
        declared = facts.declared.get((cloud.name, name))
        subject = declared.wanted.target if declared else name
        if len(named) > 1:
            held = [
                f"{live.id} is held by {holders[live.id]}" for live in named if live.id in holders
            ]
            others = ", ".join([*held, *(_seen(live) for live in free)])
            yield Finding(
                "duplicate",
                "",
                subject,
                f"{len(named)} {cloud.noun}s are named {name} ({others}); {'to delete what no state holds' if held else 'to keep the oldest'}",
                _deletion(facts, cloud, free[-1]),
                # A run that makes it, or takes it over, cannot choose between two.
                blocks=declared is not None and not held,
            )
            continue
        (found,) = free
        if declared is None:
            text = "no state holds it and the registry does not ask for it: left by an app with 'deletion: retain', or by a stack that is lost; if it is not needed"
            command = _deletion(facts, cloud, found)
        elif found.id == declared.wanted.adopts:
            text, command = "no state holds it; the next run takes it over", AGAIN
        elif differences := _differences(declared.wanted, found):
            text = f"no state holds it, and it is not what the registry asks for ({differences}); if it is not needed"
            command = _deletion(facts, cloud, found)
        elif cloud.makes_again:
            text, command = "no state holds it; the next run takes it over", AGAIN
        else:
            text = "no state holds it, and so nobody has its password"
            command = _deletion(facts, cloud, found)
        yield Finding(
            "orphan",
            "",
            subject,
            f"{cloud.noun} {_seen(found)}: {text}",
            command,
            blocks=declared is not None and command != AGAIN,
        )


def _holders(states: Iterable[StackState], cloud: Cloud) -> dict[str, str]:
    return {held.id: state.stack for state in states for held in state.of(cloud) if held.id}


def _differences(wanted: Held, found: Live, *, name: bool = False) -> str:
    pairs = [
        (key, value, found.place[key]) for key, value in wanted.place.items() if key in found.place
    ]
    if wanted.account and found.account:
        pairs.append(("account", wanted.account, found.account))
    if name:
        pairs.append(("name", wanted.name, found.name))
    return ", ".join(f"{key} {has}, not {want}" for key, want, has in pairs if want != has)


def _by_age(live: Iterable[Live]) -> list[Live]:
    return sorted(
        live, key=lambda each: (each.created or datetime.max.replace(tzinfo=UTC), each.id)
    )


def _seen(live: Live) -> str:
    return f"{live.id}, made {live.created:%Y-%m-%d %H:%M:%S} UTC" if live.created else live.id


def _deletion(facts: Facts, cloud: Cloud, live: Live) -> str:
    declared = facts.declared.get((cloud.name, live.name))
    protected = cloud.makes_again and declared and declared.deletion == "protect"
    option = " --protected" if protected else ""
    return f"tenantry {cloud.noun} delete {live.id} --name {live.name}{option}"
