"""What disagrees between the states, the registry and the cloud, and the one command that settles each. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from tenantry.registry import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tenantry.states.locks import Lock
    from tenantry.states.state import Held, Pending, StackState

Kind = Literal["cut off", "lock", "pending", "orphan", "duplicate", "gone", "differs"]
Fix = Literal["delete lock", "drop pending"]

FIX: Final = "tenantry doctor --fix"
AGAIN: Final = "tenantry up"

_NOWHERE: Final = ("random:", "pulumi:", "tenantry:")
"""Types that have no counterpart in a cloud."""
_BY_NAME: Final = (
    tokens.BRANCH,
    tokens.ENDPOINT,
    tokens.POSTGRES,
    tokens.DYNAMIC,
)
"""Types whose create looks first whether the work was done, by a name that is unique where they live."""


@dataclass(frozen=True)
class Live:
    """A project or an instance that the cloud lists."""

    id: str
    name: str
    account: str
    created: datetime | None = None
    place: Mapping[str, str] = field(default_factory=dict)
    """As `Held.place`; what the list does not tell is not there."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """As `Held.settings`."""


@dataclass(frozen=True)
class Cloud:
    """What one of the clouds says."""

    kind: Literal["project", "graph"]
    """What it has; also the command that deletes one: `tenantry project delete`."""
    live: Sequence[Live]
    """Those that are ours by mark or by id."""
    missing: frozenset[str] = frozenset()
    """Ids that a state holds and of which the cloud said for certain that they are not there."""


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
    neon: Cloud | None = None
    """None where it was not asked."""
    aura: Cloud | None = None
    declared: Mapping[str, Declared] = field(default_factory=dict)
    """By the name in the cloud."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    landing: timedelta = timedelta(seconds=60)
    """For so long after a run died a request that it sent may still have its effect."""


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
    """Compare everything with everything, what stops a run first."""
    busy = {lock.stack for lock in facts.locks if lock.owner != "dead"}
    return [
        *(_lock(lock, facts) for lock in facts.locks),
        *(
            _pending(pending, state, facts)
            for state in facts.states
            if state.stack not in busy
            for pending in _once(state.pending)
        ),
        *_in_cloud(facts, busy, facts.neon, tokens.PROJECT),
        *_in_cloud(facts, busy, facts.aura, tokens.INSTANCE),
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
    if pending.type == tokens.PROJECT and pending.wanted:
        return _created(pending.wanted, state, facts, facts.neon, adopts=True)
    if pending.type == tokens.INSTANCE and pending.wanted:
        return _created(pending.wanted, state, facts, facts.aura, adopts=False)
    if pending.type.startswith(_NOWHERE):
        return _Verdict("nothing of it is in a cloud", explained=True)
    if pending.type.startswith(_BY_NAME):
        return _Verdict("the next run looks for it by its name", explained=True)
    return _Verdict(
        f"no rule here knows {pending.type}; look whether it is there and, if not",
        "pulumi refresh --clear-pending-creates",
    )


def _created(
    wanted: Held, state: StackState, facts: Facts, cloud: Cloud | None, *, adopts: bool
) -> _Verdict:
    if cloud is None:
        return _Verdict("the cloud was not asked", "tenantry doctor")
    if wanted.adopts:
        return _Verdict(f"the next run takes {wanted.adopts} over", explained=True)
    holders = _holders(facts.states, cloud)
    named = [live for live in cloud.live if live.name == wanted.name]
    held = [live for live in named if live.id in holders]
    free = _by_age(live for live in named if live.id not in holders)
    if free:
        return _stray(wanted, held, free, facts, cloud, adopts=adopts)
    if held:
        return _taken(held[0], holders[held[0].id], state, cloud)
    return _absent(wanted, state, facts, cloud)


def _stray(
    wanted: Held,
    held: Sequence[Live],
    free: Sequence[Live],
    facts: Facts,
    cloud: Cloud,
    *,
    adopts: bool,
) -> _Verdict:
    *others, newest = free
    if others or held:
        ids = ", ".join(_seen(live) for live in (*held, *free))
        keep = "the one that a state holds" if held else "the oldest"
        text = f"the cloud has {len(held) + len(free)} {cloud.kind}s of this name ({ids}); to keep {keep}"
    elif not adopts:
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
        f"stack {holder} holds {cloud.kind} {live.id} of this name, and an app belongs into one stack; choose this one's",
        "pulumi config set tenantry:apps TENANT/APP,…",
    )


def _absent(wanted: Held, state: StackState, facts: Facts, cloud: Cloud) -> _Verdict:
    absent = f"the cloud has no {cloud.kind} {wanted.name}"
    left = (state.written + facts.landing - facts.now).total_seconds()
    if left > 0:
        text = f"{absent}, and the request may still land for {left:.0f} s"
        return _Verdict(text, FIX, wait=left)
    return _Verdict(f"{absent}: it did not happen", explained=True)


def _in_cloud(facts: Facts, busy: set[str], cloud: Cloud | None, kind: str) -> Iterator[Finding]:
    if cloud is None:
        return
    holders = _holders(facts.states, cloud)
    live = {each.id: each for each in cloud.live}
    # What a run is making at this moment is in the cloud before it is in its state, and so is what was cut off.
    begun = {
        pending.wanted.name
        for state in facts.states
        for pending in state.pending
        if pending.wanted and pending.type == kind and pending.operation == "creating"
    }
    yield from _orphans(facts, cloud, holders, begun)
    for state in facts.states:
        if state.stack in busy:
            continue
        going = {
            pending.wanted.id
            for pending in state.pending
            if pending.wanted and pending.operation == "deleting"
        }
        for held in state.projects if kind == tokens.PROJECT else state.instances:
            if held.id in going:
                continue
            again = AGAIN if state.stack == facts.stack else f"PULUMI_STACK={state.stack} {AGAIN}"
            if held.id in cloud.missing:
                way = (
                    "recover it in Neon (7 days), or make an empty one"
                    if kind == tokens.PROJECT
                    else "its data are gone; to make an empty one"
                )
                yield Finding(
                    "gone",
                    state.stack,
                    held.target,
                    f"{cloud.kind} {held.id} is in the state and not in the cloud: {way}",
                    f"{again} -- --refresh",
                )
            elif held.id in live and (differences := _differences(held, live[held.id], name=True)):
                yield Finding(
                    "differs",
                    state.stack,
                    held.target,
                    f"{cloud.kind} {held.id} is not as the state has it ({differences}); to see what a run would do about it",
                    "tenantry plan --refresh",
                )


def _orphans(
    facts: Facts, cloud: Cloud, holders: Mapping[str, str], begun: set[str]
) -> Iterator[Finding]:
    by_name = defaultdict(list)
    for live in cloud.live:
        by_name[live.name].append(live)
    for name, named in sorted(by_name.items()):
        free = _by_age(live for live in named if live.id not in holders)
        if not free or name in begun:
            continue
        declared = facts.declared.get(name)
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
                f"{len(named)} {cloud.kind}s are named {name} ({others}); {'to delete what no state holds' if held else 'to keep the oldest'}",
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
        elif cloud.kind == "project":
            text, command = "no state holds it; the next run takes it over", AGAIN
        else:
            text = "no state holds it, and so nobody has its password"
            command = _deletion(facts, cloud, found)
        yield Finding(
            "orphan",
            "",
            subject,
            f"{cloud.kind} {_seen(found)}: {text}",
            command,
            blocks=declared is not None and command != AGAIN,
        )


def _holders(states: Iterable[StackState], cloud: Cloud) -> dict[str, str]:
    return {
        held.id: state.stack
        for state in states
        for held in (state.projects if cloud.kind == "project" else state.instances)
        if held.id
    }


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
    declared = facts.declared.get(live.name)
    protected = cloud.kind == "project" and declared and declared.deletion == "protect"
    option = " --protected" if protected else ""
    return f"tenantry {cloud.kind} delete {live.id} --name {live.name}{option}"
