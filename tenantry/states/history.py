"""What the last update of each stack was, as the engine noted it, and whether anything happened since.

The engine's own backends keep for each update `.pulumi/history/PROJECT/STACK/STACK-NANOSECONDS.history.json`, with its kind, its
result and its message, and beside it a copy of the state that it left (pulumi 3, `pkg/backend/diy/state.go`). A run of a fleet puts
the digest of the app's inputs into the message. So the record of the last success is beside the state, whatever machine looks, and
comes from the engine itself: another `pulumi up` or `pulumi refresh` by hand makes another record, a run that was killed makes none, but changes the
state, and so does an edit of the state. In all these cases the app counts as changed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from tenantry.running.stack import backend_url, list_stacks, updates
from tenantry.states.store import STACKS, Folder, Table, open_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Result = Literal["succeeded", "failed", "in-progress", "not-started"]

_HISTORY: Final = ".pulumi/history"
_ENDINGS: Final = (".history.json", ".history.json.gz")
_STATE: Final = re.compile(r"(?P<stack>.+)\.json(?:\.gz)?")
_TIME: Final = re.compile(rb'"latest":\s*{\s*"manifest":\s*{\s*"time":\s*"([^"]+)"')
_HEAD: Final = 1500
"""How much of a state is read: what it begins with says when it was written. A multiple of 3, for base64."""
_WHOLE: Final = 3 * 2**28
"""More than any."""
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

    def applied(self, digest: str) -> bool:
        """Tell whether a run of a fleet applied these inputs, with success, and nothing happened since."""
        return (
            self.settled
            and self.kind == "update"
            and self.result == "succeeded"
            and self.digest == digest
        )


class History(Protocol):
    """The last updates of one project's stacks."""

    def stacks(self) -> set[str]:
        """List the project's stacks, whatever is in them."""
        ...

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        """Read the last update of each of these stacks; one that had none is not in the answer."""
        ...


def message(app: str, digest: str) -> str:
    """Return what the history is to say of a run."""
    return f"tenantry: {app} inputs {digest}"


def open_history(
    environment: Mapping[str, str], project: str, folder: Path | None = None
) -> History:
    """Find the history of a project's stacks.

    :param environment: the variables to run `pulumi` with
    :param project: the name in `Pulumi.yaml`
    :param folder: where that is; by default the current one
    :raises StackError: `pulumi` does not say which backend it is
    :raises RecoveryError: the backend cannot be read
    """
    tree = open_tree(environment.get("PULUMI_BACKEND_URL") or backend_url(environment), project)
    if isinstance(tree, Folder):
        return _InFolder(tree, project)
    if isinstance(tree, Table):
        return _InTable(tree, project)
    return ThroughEngine(environment, folder)


class _InFolder:
    def __init__(self, folder: Folder, project: str) -> None:
        self._stacks = folder.root / STACKS / project
        self._history = folder.root / _HISTORY / project

    def stacks(self) -> set[str]:
        found = (_STATE.fullmatch(name) for name in _names(self._stacks))
        return {each["stack"] for each in found if each}

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        updates = {stack: self._last(stack) for stack in stacks}
        return {stack: update for stack, update in updates.items() if update}

    def _last(self, stack: str) -> Update | None:
        folder = os.path.join(self._history, stack)  # noqa: PTH118 a thousand of these in a second
        entries = [name for name in _names(folder) if name.endswith(_ENDINGS)]
        if not entries:
            return None
        name = max(entries)
        stem, _, packed = name.rpartition(".history.json")
        copy = f"{folder}/{stem}.checkpoint.json{packed}"
        state = f"{self._stacks}/{stack}.json{packed}"
        return _update(_read(f"{folder}/{name}"), _read(state, _HEAD), _read(copy, _HEAD))


class _InTable:
    def __init__(self, table: Table, project: str) -> None:
        self._table = table
        self._stacks = f"{STACKS}/{project}/"
        self._history = f"{table.above}{_HISTORY}/{project}/"

    def stacks(self) -> set[str]:
        names = (key.removeprefix(self._stacks) for key in self._table.keys(self._stacks))
        found = (_STATE.fullmatch(name) for name in names)
        return {each["stack"] for each in found if each and "/" not in each["stack"]}

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        wanted = set(stacks)
        newest = self._table.rows(
            "SELECT split_part(right(key, -%s), '/', 1), max(key) FROM {} "
            "WHERE starts_with(key, %s) AND key ~ '\\.history\\.json(\\.gz)?$' GROUP BY 1",
            [len(self._history), self._history],
        )
        entries = {str(stack): str(key) for stack, key in newest if stack in wanted}
        copies = {
            stack: key.replace(".history.json", ".checkpoint.json")
            for stack, key in entries.items()
        }
        states = {
            stack: f"{self._table.above}{self._stacks}{stack}.json{'.gz' if key.endswith('.gz') else ''}"
            for stack, key in entries.items()
        }
        told = self._values(entries.values())
        heads = self._values([*copies.values(), *states.values()], _HEAD)
        updates = {
            stack: _update(told.get(key), heads.get(states[stack]), heads.get(copies[stack]))
            for stack, key in entries.items()
        }
        return {stack: update for stack, update in updates.items() if update}

    def _values(self, keys: Iterable[str], length: int = _WHOLE) -> dict[str, bytes]:
        # A value is one JSON text whose only member is in base64: its head can be taken as it is.
        found = self._table.rows(
            "SELECT key, left(data->>'data', %s) FROM {} WHERE key = ANY(%s)",
            [length * 4 // 3, list(keys)],
        )
        return {str(key): base64.b64decode(text) for key, text in found}


class ThroughEngine:
    """Any other kind of backend: `pulumi` is asked about each stack."""

    def __init__(self, environment: Mapping[str, str], folder: Path | None = None) -> None:
        """Ask nothing yet."""
        self._environment = environment
        self._folder = folder
        self._written: dict[str, datetime | None] = {}

    def stacks(self) -> set[str]:
        """List the project's stacks."""
        self._written = list_stacks(self._environment, self._folder)
        return set(self._written)

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        """Read the last update of each of these stacks, a quarter of a second of a core for each."""
        wanted = list(stacks)
        self.stacks()
        with ThreadPoolExecutor(_READERS) as readers:
            found = dict(zip(wanted, readers.map(self._last, wanted), strict=True))
        return {stack: update for stack, update in found.items() if update}

    def _last(self, stack: str) -> Update | None:
        entries = updates(self._environment, stack, 1, self._folder)
        if not entries:
            return None
        ended = _moment(entries[0].get("endTime"))
        written = self._written.get(stack)
        # The end is told in whole seconds, and is after the last time that the state was written.
        settled = (
            ended is not None
            and written is not None
            and int(written.timestamp()) <= int(ended.timestamp())
        )
        return _told(entries[0], ended, settled=settled)


def _update(entry: bytes | None, state: bytes | None, copy: bytes | None) -> Update | None:
    if entry is None:
        return None
    try:
        facts = json.loads(_unpacked(entry))
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
    )


def _time(head: bytes | None) -> bytes | None:
    found = _TIME.search(_unpacked(head)) if head else None
    return found[1] if found else None


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    # Also the head of a packed file.
    return zlib.decompressobj(wbits=31).decompress(content)


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _names(folder: str | os.PathLike[str]) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 as above
    except FileNotFoundError:
        return []


def _read(file: str, length: int = -1) -> bytes | None:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 as above
            return stream.read(length)
    except FileNotFoundError:
        return None
