"""Whole copies of a state whose own file was cut off: the last of them, what it lacks, and how it is put back.

The engine writes a state in place, so one that is killed, or a disk that is full, leaves half of it. It keeps two kinds
of copies (pulumi 3, `pkg/backend/diy/state.go`): of what was there before the last write, with `.bak` behind the name,
and of what each update ended with, in its history.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tenantry.states.layout import BACKUP, CUT, HISTORY, pack, state_keys, unpack, unpack_head
from tenantry.states.locks import hold_lock
from tenantry.states.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tenantry.states.tree import Tree

_COPY: Final = re.compile(r"\.checkpoint\.json(\.gz|\.zst)?$")
_TIME: Final = re.compile(r'"manifest":\s*{\s*"time":\s*"([^"]+)"')
_URN: Final = re.compile(r'"urn":\s*"([^"]+)"')
_ALL: Final = 2**30
"""Bytes: more than any state has."""
_LISTED: Final = 5
_NEVER: Final = moment(None)


@dataclass(frozen=True)
class Copy:
    """A whole copy of a state."""

    content: bytes
    """Unpacked."""
    written: datetime | None
    """When its state was written; None for a stack in which nothing was applied."""

    def told(self, cut: bytes) -> str:
        """Say how old it is, and what it lacks of the cut-off state, as far as the rest of that tells."""
        of = f"of {self.written:%Y-%m-%d %H:%M:%S} UTC" if self.written else "without any app"
        return f"{of}, {self._lacks(unpack_head(cut, _ALL).decode('utf-8', 'replace'))}"

    def _lacks(self, fragment: str) -> str:
        time = _TIME.search(fragment)
        at = moment(time[1]) if time else None
        if at and at == self.written:
            return "which lacks nothing"
        held = set(_URN.findall(self.content.decode("utf-8", "replace")))
        urns = dict.fromkeys(each for each in _URN.findall(fragment) if each not in held)
        names = [f"{each.rpartition('::')[2]} ({_kind(each)})" for each in urns]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        named = f", at least {', '.join(names[:_LISTED])}{more}" if names else ""
        until = f" until {at:%H:%M:%S}" if at else ""
        return f"which lacks what was written after that{until}{named}"


def last_copy(tree: Tree, project: str, stack: str) -> Copy | None:
    """Find the whole copy of a state that was written last; None where there is none."""
    # The names of those in the history have the moment in them.
    history = (
        key for key in reversed(tree.keys(f"{HISTORY}/{project}/{stack}/")) if _COPY.search(key)
    )
    beside = (f"{key}{BACKUP}" for key in state_keys(project, stack))
    found = [*_first(tree, beside), *_first(tree, history)]
    return max(found, key=lambda each: each.written or _NEVER, default=None)


def put_back(tree: Tree, project: str, stack: str) -> bool:
    """Put the last whole copy of a state in the place of one that was cut off, under the engine's lock.

    What is left of that one is kept beside it, with `.cut` behind its name.

    :return: whether that was done; not where the state is whole by now, or there is no copy
    :raises StatesError: somebody is at work on the stack
    """
    with hold_lock(tree, project, stack):
        found = tree.contents(state_keys(project, stack))
        copy = last_copy(tree, project, stack)
        if not found or copy is None:
            return False
        key = tree.written_last(found) if len(found) > 1 else next(iter(found))
        if _whole(found[key]) is not None:
            return False
        tree.write(f"{key}{CUT}", found[key])
        tree.write(key, pack(copy.content, key))
    return True


def _first(tree: Tree, keys: Iterable[str]) -> Iterator[Copy]:
    for key in keys:
        kept = tree.read(key)
        found = _whole(kept) if kept is not None else None
        if kept is not None and found is not None:
            latest = found["checkpoint"].get("latest") or {}
            time = (latest.get("manifest") or {}).get("time")
            yield Copy(unpack(kept), moment(time) if time else None)
            return


def _whole(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(unpack(content))
    except ValueError:
        return None
    whole = isinstance(found, dict) and isinstance(found.get("checkpoint"), dict)
    return found if whole else None


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2].rpartition(":")[2]
