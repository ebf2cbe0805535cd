"""What the last update of each stack was, as the engine noted it, and whether anything happened since.

The engine's own backends note each update with its kind, its result and its message, and keep a copy of the state that
it left (`tenantry.states.layout`). A run of a fleet puts the digest of the app's inputs into the message. So the record
of the last success is beside the state, the same for every machine. A `pulumi up` or `pulumi refresh` by hand leaves
another record. A run that was killed leaves none, but changes the state, and so does an edit of the state. In all these
cases the app counts as changed.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tenantry.running.actor import NOTED
from tenantry.running.stack import updates
from tenantry.states.layout import HISTORY, UPDATE, state_keys, unpack, unpack_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tenantry.states.tree import Tree

_TIME: Final = re.compile(rb'"latest":\s*{\s*"manifest":\s*{\s*"time":\s*"([^"]+)"')
_HEAD: Final = 1500
"""Bytes of a state that are read: what it begins with says when it was written. A multiple of 3, for base64."""
_MESSAGE: Final = re.compile(r"tenantry: (?P<app>\S+) inputs (?P<digest>[0-9a-f]{64})")
_READERS: Final = 8


@dataclass(frozen=True)
class Update:
    """The last update of a stack."""

    kind: str
    """The engine's word: `update`, `refresh`, `destroy`, `import`."""
    result: str
    """The engine's word: `succeeded`, `failed`."""
    ended: datetime | None
    app: str | None
    """The app that a run of a fleet applied; None where the update was made otherwise."""
    digest: str | None
    settled: bool
    """Whether the state is as this update left it."""
    actor: str | None = None
    """Who was behind it (`tenantry.running.actor`); None where `pulumi` was called by hand."""

    @property
    def told(self) -> str:
        """The engine's words for what it was: `update succeeded`."""
        return f"{self.kind} {self.result}"

    def applied(self, digest: str) -> bool:
        """Tell whether a run of a fleet applied these inputs, with success, and nothing happened since."""
        return (
            self.settled
            and self.kind == "update"
            and self.result == "succeeded"
            and self.digest == digest
        )


def message(app: str, digest: str) -> str:
    """Return what the history is to say of a run."""
    return f"tenantry: {app} inputs {digest}"


def updates_in(tree: Tree, project: str, stacks: Iterable[str]) -> dict[str, Update]:
    """Read the last update of each of these stacks from a tree; one that had none is not in the answer."""
    entries = tree.newest(f"{HISTORY}/{project}/", stacks, UPDATE)
    copies = {
        stack: key.replace(".history.json", ".checkpoint.json") for stack, key in entries.items()
    }
    states = {stack: state_keys(project, stack) for stack in entries}
    told = tree.contents(entries.values())
    heads = _heads(tree, [*copies.values(), *(key for keys in states.values() for key in keys)])
    found = {}
    for stack, key in entries.items():
        there = [each for each in states[stack] if each in heads]
        # Two files, if the engine was told to pack otherwise and died in between. It takes the last, and so does this.
        state = tree.written_last(there) if len(there) > 1 else "".join(there)
        if key in told:
            found[stack] = _update(told[key], heads.get(state), heads.get(copies[stack]))
    return found


def updates_through_engine(
    environment: Mapping[str, str],
    stacks: Iterable[str],
    written: Mapping[str, datetime | None],
    folder: Path | None,
) -> dict[str, Update]:
    """Ask `pulumi` about the last update of each of these stacks, a quarter of a second of a core for each.

    :param written: when the state of each stack was written last
    """

    def last(stack: str) -> Update | None:
        entries = updates(environment, stack, 1, folder)
        if not entries:
            return None
        text, at = entries[0].get("endTime"), written.get(stack)
        ended = datetime.fromisoformat(text) if isinstance(text, str) else None
        # The end is told in whole seconds, and is after the last time that the state was written.
        settled = bool(ended and at and int(at.timestamp()) <= int(ended.timestamp()))
        return _told(entries[0], ended, settled=settled)

    wanted = list(stacks)
    with ThreadPoolExecutor(_READERS) as readers:
        found = dict(zip(wanted, readers.map(last, wanted), strict=True))
    return {stack: update for stack, update in found.items() if update}


def _heads(tree: Tree, keys: Iterable[str]) -> dict[str, bytes]:
    every = list(keys)
    # The head of a zstd file cannot be read by itself.
    whole = [key for key in every if key.endswith(".zst")]
    found = tree.contents([key for key in every if not key.endswith(".zst")], _HEAD)
    return {
        key: unpack_head(content, _HEAD) for key, content in (found | tree.contents(whole)).items()
    }


def _update(entry: bytes, state: bytes | None, copy: bytes | None) -> Update:
    try:
        facts = json.loads(unpack(entry))
    except ValueError:
        # Cut off while it was written: nothing is known of that update.
        return Update("", "", None, None, None, settled=False)
    written, left = _time(state), _time(copy)
    ended = facts.get("endTime")
    return _told(
        facts,
        datetime.fromtimestamp(ended, UTC) if isinstance(ended, int) else None,
        settled=written is not None and written == left,
    )


def _told(facts: Mapping[str, Any], ended: datetime | None, *, settled: bool) -> Update:
    found = _MESSAGE.fullmatch(str(facts.get("message") or ""))
    return Update(
        kind=str(facts.get("kind")),
        result=str(facts.get("result")),
        ended=ended,
        app=found["app"] if found else None,
        digest=found["digest"] if found else None,
        settled=settled,
        actor=(facts.get("environment") or {}).get(NOTED),
    )


def _time(head: bytes | None) -> bytes | None:
    found = _TIME.search(head) if head else None
    return found[1] if found else None
