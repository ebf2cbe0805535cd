"""The states, locks and updates of one project: read and written, without the engine where that is possible.

A folder or a table of PostgreSQL is read and written at once (`tenantry.states.tree`), each state whole or not at all,
under the engine's own locks. Any other kind of backend answers through `pulumi`, which does not tell of locks and takes
a stack's lock only while it writes. There the state is looked at again before it is written, and one that changed since
it was read is left alone. A change between that look and the write is not seen.
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from tenantry.running.stack import (
    backend_url,
    export_state,
    import_state,
    init_stack,
    list_stacks,
    remove_stack,
)
from tenantry.states.copies import last_copy, put_back
from tenantry.states.errors import CutOffError, StatesError
from tenantry.states.history import updates_in, updates_through_engine
from tenantry.states.layout import (
    BESIDE,
    HISTORY,
    LOCKS,
    STACKS,
    pack,
    stacks_in,
    state_keys,
    unpack,
)
from tenantry.states.locks import hold_lock, locks_in
from tenantry.states.tree import open_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tenantry.states.history import Update
    from tenantry.states.locks import Lock
    from tenantry.states.tree import Tree

_ATTEMPTS: Final = 10
"""The engine writes a state in place: a reader may find half of it, for a moment."""
_PAUSE: Final = 0.05
"""Seconds between two attempts."""


@dataclass(frozen=True)
class Kept:
    """A state as a backend keeps it."""

    deployment: Mapping[str, Any] = field(default_factory=dict)
    """Empty where nothing was applied yet. Secrets are encrypted."""
    version: int = 3
    """The version of the deployment's form."""
    features: tuple[str, ...] = ()
    """What a reader must know beside the deployment."""

    @classmethod
    def of(cls, facts: Mapping[str, Any], deployment: Mapping[str, Any] | None) -> Kept:
        """Put together what a state's envelope says and the deployment in it."""
        return cls(
            deployment or {}, int(facts.get("version") or 3), tuple(facts.get("features") or ())
        )

    @property
    def written(self) -> str:
        """When it was written, in the engine's words; empty where nothing was applied."""
        return str((self.deployment.get("manifest") or {}).get("time") or "")

    @property
    def key(self) -> Any:  # noqa: ANN401 any JSON value
        """What its secrets are encrypted with: the kind of provider and its parameters, which are no secret."""
        return self.deployment.get("secrets_providers")

    def holding(self, deployment: Mapping[str, Any], *others: Kept) -> Kept:
        """Return a state whose form can hold resources from other states too."""
        every = (self, *others)
        return Kept(
            deployment,
            max(each.version for each in every),
            tuple(sorted({name for each in every for name in each.features})),
        )

    def stamped(self) -> Kept:
        """Return it with the present time, so that a comparison with what a run left shows that it is another state."""
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        manifest = {**(self.deployment.get("manifest") or {}), "time": now}
        return replace(self, deployment={**self.deployment, "manifest": manifest})

    def as_export(self) -> dict[str, Any]:
        """Give it as `pulumi stack export` does."""
        features = {"features": list(self.features)} if self.features else {}
        return {"version": self.version, **features, "deployment": dict(self.deployment)}


class Store(Protocol):
    """The states, locks and updates of one project.

    All of it raises StatesError where a folder or a table does not answer, refuses, or holds what is no state, and
    StackError where `pulumi` does not answer.
    """

    where: str
    """Its name in messages; no secret."""
    tells_locks: bool
    """Whether it is read at once, locks too. Otherwise each question is a process, and locks cannot be seen."""

    def stacks(self) -> set[str]:
        """Name the project's stacks, whatever is in them."""
        ...

    def state(self, stack: str) -> Mapping[str, Any] | None:
        """Return a stack's deployment, secrets encrypted; None where it has none yet, or there is no such stack."""
        ...

    def read(self, stack: str) -> Kept | None:
        """Read a state that is to be written again; None where there is no such stack."""
        ...

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own, or make the stack with it."""
        ...

    def put_back(self, stack: str) -> bool:
        """Put the last whole copy of a state in the place of one that was cut off; return whether that was done."""
        ...

    def remove(self, stack: str) -> None:
        """Remove a stack with its history; nothing in a cloud is touched. One that is gone is a success."""
        ...

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        """Read the last update of each of these stacks; one that had none is not in the answer."""
        ...

    def locks(self) -> list[Lock]:
        """Read the locks of all stacks; none where they are not told."""
        ...

    def hold(self, stacks: Collection[str]) -> AbstractContextManager[None]:
        """Keep everybody else from these stacks for the length of a block, where the backend has a way.

        :raises StatesError: somebody is at work on one of them
        """
        ...

    def delete_lock(self, key: str) -> None:
        """Delete one lock; one that is gone already is a success."""
        ...


def open_store(environment: Mapping[str, str], project: str, folder: Path | None = None) -> Store:
    """Find the states of a project.

    :param environment: the variables to run `pulumi` with
    :param project: the name in `Pulumi.yaml`
    :param folder: where that is; by default the current one
    :raises StackError: `pulumi` does not say which backend it is
    :raises StatesError: the backend cannot be read
    """
    url = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
    tree = open_tree(url, project)
    if tree is not None:
        return InTree(tree, project)
    parts = urlsplit(url)
    return ThroughEngine(environment, f"{parts.scheme}://{parts.hostname or ''}", folder)


def recode(
    kept: Kept, key: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> Kept:
    """Have the engine encrypt, with a key, all secrets of a state in which some are in clear.

    They pass through pipes, and what reaches a disk is encrypted.

    :param key: a state's `secrets_providers`
    :raises StackError: the key cannot be used
    """
    with _scratch(folder) as scratch:
        state = scratch / "state"
        state.mkdir()
        aside = {**environment, "PULUMI_BACKEND_URL": state.as_uri()}
        # URNs name the stack.
        stack = kept.deployment["resources"][0]["urn"].split(":")[2]
        init_stack(aside, stack, scratch)
        given = replace(kept, deployment={**kept.deployment, "secrets_providers": key})
        import_state(aside, stack, given.as_export(), scratch)
        found = export_state(aside, stack, scratch)
        return Kept.of(found, found["deployment"])


class InTree:
    """States in a folder or a table."""

    tells_locks = True

    def __init__(self, tree: Tree, project: str) -> None:
        """Read nothing yet."""
        self.where = tree.where
        self._tree = tree
        self._project = project

    def stacks(self) -> set[str]:
        """Name the project's stacks."""
        return stacks_in(self._tree.keys(f"{STACKS}/{self._project}/"), self._project)

    def state(self, stack: str) -> Mapping[str, Any] | None:
        """Return a stack's deployment."""
        kept = self.read(stack)
        return kept.deployment or None if kept else None

    def read(self, stack: str) -> Kept | None:
        """Read a state."""
        for _ in range(_ATTEMPTS):
            found = self._tree.contents(state_keys(self._project, stack))
            if not found:
                return None
            key = self._newest(found)
            try:
                envelope = json.loads(unpack(found[key]))
                return Kept.of(envelope, envelope["checkpoint"].get("latest"))
            except ValueError:
                time.sleep(_PAUSE)
            except (KeyError, TypeError, AttributeError):
                raise StatesError(
                    f"{self.where}: {key} is not of the form that the engine writes: is it from another version?"
                ) from None
        copy = last_copy(self._tree, self._project, stack)
        told = copy.told(found[key]) if copy else ""
        raise CutOffError(self.where, key, stack, told)

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own. One that is packed stays so."""
        found = self._tree.contents(state_keys(self._project, stack))
        key = self._newest(found) if found else state_keys(self._project, stack)[0]
        envelope = {
            "version": kept.version,
            **({"features": list(kept.features)} if kept.features else {}),
            "checkpoint": {
                "stack": f"organization/{self._project}/{stack}",
                "latest": kept.stamped().deployment,
            },
        }
        content = json.dumps(envelope, indent=4, ensure_ascii=False).encode()
        self._tree.write(key, pack(content, key))

    def put_back(self, stack: str) -> bool:
        """Put a whole copy in the place of a state that was cut off."""
        return put_back(self._tree, self._project, stack)

    def remove(self, stack: str) -> None:
        """Remove a stack with its history."""
        for key in self._tree.keys(f"{HISTORY}/{self._project}/{stack}/"):
            self._tree.delete(key)
        # The stack exists as long as its state. So the state goes last: after a kill, the next attempt finds the stack.
        for ending in BESIDE:
            self._tree.delete(f"{STACKS}/{self._project}/{stack}{ending}")

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        """Read the last update of each of these stacks."""
        return updates_in(self._tree, self._project, stacks)

    def locks(self) -> list[Lock]:
        """Read the locks of all stacks."""
        return locks_in(self._tree, f"{LOCKS}/{self._project}/")

    @contextmanager
    def hold(self, stacks: Collection[str]) -> Iterator[None]:
        """Hold the engine's lock of each stack."""
        with ExitStack() as locks:
            for stack in sorted(stacks):
                locks.enter_context(hold_lock(self._tree, self._project, stack))
            yield

    def delete_lock(self, key: str) -> None:
        """Delete one lock."""
        self._tree.delete(key)

    def _newest(self, found: Collection[str]) -> str:
        # Two files, if the engine was told to pack otherwise and died in between. It takes the last, and so does this.
        return self._tree.written_last(found) if len(found) > 1 else next(iter(found))


class ThroughEngine:
    """States in any other kind of backend."""

    tells_locks = False

    def __init__(
        self, environment: Mapping[str, str], where: str, folder: Path | None = None
    ) -> None:
        """Ask nothing yet."""
        self.where = where
        self._environment = environment
        self._folder = folder
        self._seen: dict[str, str] = {}
        self._listed: dict[str, datetime | None] = {}

    def stacks(self) -> set[str]:
        """Name the project's stacks."""
        self._listed = list_stacks(self._environment, self._folder)
        return set(self._listed)

    def state(self, stack: str) -> Mapping[str, Any] | None:
        """Return a stack's deployment."""
        kept = self._export(stack)
        return kept.deployment or None if kept else None

    def read(self, stack: str) -> Kept | None:
        """Read a state.

        :raises StatesError: nobody but Pulumi Cloud can decrypt it
        """
        kept = self._export(stack)
        if kept is None:
            return None
        if (kept.key or {}).get("type") == "service":
            raise StatesError(
                f"stack {stack}: its secrets are encrypted by Pulumi Cloud for this stack alone: "
                "pulumi stack change-secrets-provider passphrase, then go on"
            )
        self._seen[stack] = kept.written
        return kept

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own.

        :raises StatesError: it is another one than was read
        """
        before = self._seen.get(stack)
        now = self.read(stack)
        if now is None:
            with _scratch(self._folder) as scratch:
                init_stack(self._environment, stack, scratch)
        elif before is not None and now.written != before:
            raise StatesError(f"stack {stack}: a run changed it in the meantime: begin again")
        given = kept.stamped()
        import_state(self._environment, stack, given.as_export(), self._folder)
        self._seen[stack] = given.written

    def put_back(self, stack: str) -> bool:  # noqa: ARG002 there is no way
        """Do nothing: what is beside a state is not told."""
        return False

    def remove(self, stack: str) -> None:
        """Remove a stack with its history."""
        if stack in self.stacks():
            remove_stack(self._environment, stack, self._folder)
            self._listed.pop(stack, None)

    def last(self, stacks: Iterable[str]) -> dict[str, Update]:
        """Read the last update of each of these stacks, a process for each."""
        self.stacks()
        return updates_through_engine(self._environment, stacks, self._listed, self._folder)

    def locks(self) -> list[Lock]:
        """Return none: `pulumi` does not tell."""
        return []

    @contextmanager
    def hold(self, stacks: Collection[str]) -> Iterator[None]:  # noqa: ARG002 there is no way
        """Do nothing: `pulumi` takes the lock of each stack while it writes."""
        yield

    def delete_lock(self, key: str) -> None:
        """Refuse."""
        raise StatesError(
            f"{self.where}: {key} cannot be deleted from here: delete that one file by hand"
        )

    def _export(self, stack: str) -> Kept | None:
        # A stack may have come since the last look.
        if stack not in self._listed and stack not in self.stacks():
            return None
        found = export_state(self._environment, stack, self._folder)
        return Kept.of(found, found["deployment"])


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    """Make a folder for the length of a block in which the engine may write a stack's file beside `Pulumi.yaml`."""
    with TemporaryDirectory(prefix="tenantry-") as scratch:
        shutil.copyfile(Path(folder or "", "Pulumi.yaml"), Path(scratch, "Pulumi.yaml"))
        yield Path(scratch)
