"""Writes states of stacks: what moving an app from one stack to another needs, and no run.

In a folder or a table the engine's own files are written (pulumi 3, `pkg/backend/diy`), each whole or not at all, under the engine's
own locks, which are held from the first look to the last write. Any other backend is written through `pulumi stack import`, which takes
the lock for that moment only; there a state that changed since it was read is not written over, as far as two looks can tell.
"""

from __future__ import annotations

import getpass
import gzip
import json
import os
import shutil
import socket
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

from tenantry.fleet.errors import FleetError
from tenantry.running.stack import (
    backend_url,
    export_state,
    import_state,
    init_stack,
    list_stacks,
    remove_stack,
)
from tenantry.states.locks import read_lock
from tenantry.states.store import LOCKS, STACKS, open_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tenantry.states.store import Folder, Table

HISTORY: Final = ".pulumi/history"
_ENDINGS: Final = (".json", ".json.gz")
_BESIDE: Final = (".pulumi-tags", ".json.bak", ".json.gz.bak", ".json.gz", ".json")
"""What the engine keeps of a stack beside its history, by what follows its name; the state comes last."""


@dataclass(frozen=True)
class Kept:
    """A state as a backend keeps it."""

    deployment: Mapping[str, Any] = field(default_factory=dict)
    """Empty where nothing was applied yet. Secrets are encrypted."""
    version: int = 3
    """Of the form of the deployment."""
    features: tuple[str, ...] = ()
    """What a reader must know beside it."""

    @property
    def written(self) -> str:
        """When it was written, in the engine's words; empty where nothing was applied."""
        return str((self.deployment.get("manifest") or {}).get("time") or "")

    @property
    def key(self) -> Any:  # noqa: ANN401 any JSON value
        """What its secrets are encrypted with: the kind of provider and its parameters, which are no secret."""
        return self.deployment.get("secrets_providers")

    def holding(self, deployment: Mapping[str, Any], *others: Kept) -> Kept:
        """Return a state of a form that can hold what came from others too."""
        every = (self, *others)
        return Kept(
            deployment,
            max(each.version for each in every),
            tuple(sorted({name for each in every for name in each.features})),
        )

    def as_export(self) -> dict[str, Any]:
        """Give it as `pulumi stack export` does."""
        features = {"features": list(self.features)} if self.features else {}
        return {"version": self.version, **features, "deployment": dict(self.deployment)}


class States(Protocol):
    """The states of one project, to be written."""

    def stacks(self) -> set[str]:
        """List the project's stacks."""
        ...

    def held(self, stacks: Collection[str]) -> Any:  # noqa: ANN401 a context manager
        """Keep everybody else from these stacks for the length of a block, where the backend has a way.

        :raises FleetError: somebody is at work on one of them
        """
        ...

    def read(self, stack: str) -> Kept | None:
        """Read a state; None where there is no such stack."""
        ...

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own, or make the stack with it."""
        ...

    def remove(self, stack: str) -> None:
        """Remove a stack with its history; nothing in a cloud is touched. One that is gone is a success."""
        ...


def open_states(environment: Mapping[str, str], project: str, folder: Path) -> States:
    """Find the states of a project.

    :param environment: the variables to run `pulumi` with
    :param project: the name in `Pulumi.yaml`
    :param folder: where that is
    :raises StackError: `pulumi` does not say which backend it is
    :raises RecoveryError: the backend cannot be read
    """
    tree = open_tree(environment.get("PULUMI_BACKEND_URL") or backend_url(environment), project)
    if tree is not None:
        return InTree(tree, project)
    return ThroughEngine(environment, folder)


def recoded(
    kept: Kept, key: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> Kept:
    """Return a state of which some secrets are in clear with all of them encrypted with a key, by the engine.

    They pass through pipes, and what reaches a disk is encrypted.

    :param key: a state's `secrets_providers`
    :raises StackError: the key cannot be used
    """
    with TemporaryDirectory(prefix="tenantry-") as scratch:
        shutil.copyfile(folder / "Pulumi.yaml", Path(scratch, "Pulumi.yaml"))
        state = Path(scratch, "state")
        state.mkdir()
        aside = {**environment, "PULUMI_BACKEND_URL": state.as_uri()}
        # URNs name the stack.
        stack = kept.deployment["resources"][0]["urn"].split(":")[2]
        init_stack(aside, stack, Path(scratch))
        given = replace(kept, deployment={**kept.deployment, "secrets_providers": key})
        import_state(aside, stack, given.as_export(), Path(scratch))
        return _read(export_state(aside, stack, Path(scratch)), "deployment")


class InTree:
    """States in a folder or a table."""

    def __init__(self, tree: Folder | Table, project: str) -> None:
        """Read nothing yet."""
        self._tree = tree
        self._project = project

    def stacks(self) -> set[str]:
        """List the project's stacks."""
        folder = f"{STACKS}/{self._project}/"
        names = (key.removeprefix(folder) for key in self._tree.keys(folder))
        return {
            name.removesuffix(ending)
            for name in names
            for ending in _ENDINGS
            if name.endswith(ending) and "/" not in name and not name.startswith(".")
        }

    @contextmanager
    def held(self, stacks: Collection[str]) -> Iterator[None]:
        """Take the engine's lock of each stack; those of dead processes of this machine are taken away first."""
        with ExitStack() as locks:
            for stack in sorted(stacks):
                locks.enter_context(self._lock(stack))
            yield

    @contextmanager
    def _lock(self, stack: str) -> Iterator[None]:
        folder = f"{LOCKS}/{self._project}/{stack}/"
        own = f"{folder}{uuid.uuid4()}.json"
        self._refuse_held(folder, own, stack)
        content = {
            "pid": os.getpid(),
            "username": getpass.getuser(),
            "hostname": socket.gethostname(),
            "timestamp": datetime.now(UTC).isoformat(),
        }
        self._tree.write(own, json.dumps(content).encode())
        try:
            # Two that began together both find the other, and both go.
            self._refuse_held(folder, own, stack)
            yield
        finally:
            self._tree.delete(own)

    def _refuse_held(self, folder: str, own: str, stack: str) -> None:
        for key in self._tree.keys(folder):
            if key == own or not key.endswith(".json"):
                continue
            lock = read_lock(key, (self._tree.read(key) or b"").decode("utf-8", "replace"))
            if lock.owner != "dead":
                raise FleetError(
                    f"lock [{stack}]: held by {lock.holder}: nothing was changed. Wait until that run ends"
                    + (
                        ""
                        if lock.owner == "alive"
                        else f", or, when you are sure that it is dead, {lock.by_hand}"
                    )
                )
            self._tree.delete(key)

    def read(self, stack: str) -> Kept | None:
        """Read a state; None where there is no such stack."""
        found = self._found(stack)
        if found is None:
            return None
        _, content = found
        envelope = json.loads(content)
        return _read({**envelope, "latest": envelope["checkpoint"].get("latest")}, "latest")

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own, or make the stack with it."""
        found = self._found(stack)
        ending = found[0] if found else ".json"
        envelope = {
            "version": kept.version,
            **({"features": list(kept.features)} if kept.features else {}),
            "checkpoint": {
                "stack": f"organization/{self._project}/{stack}",
                "latest": _stamped(kept.deployment),
            },
        }
        content = json.dumps(envelope, indent=4, ensure_ascii=False).encode()
        packed = gzip.compress(content) if ending.endswith(".gz") else content
        self._tree.write(f"{self._key(stack)}{ending}", packed)

    def remove(self, stack: str) -> None:
        """Remove a stack with its history. One that is gone is a success."""
        for key in self._tree.keys(f"{HISTORY}/{self._project}/{stack}/"):
            self._tree.delete(key)
        # While the state is there the stack is, and whoever was killed over it finds it again.
        for ending in _BESIDE:
            self._tree.delete(f"{self._key(stack)}{ending}")

    def _found(self, stack: str) -> tuple[str, bytes] | None:
        for ending in _ENDINGS:
            content = self._tree.read(f"{self._key(stack)}{ending}")
            if content is not None:
                return ending, gzip.decompress(content) if ending.endswith(".gz") else content
        if self._tree.read(f"{self._key(stack)}.json.zst") is not None:
            raise FleetError(
                f"stack {stack}: its state is compressed with zstd, which is not read here: unset PULUMI_DIY_BACKEND_ZSTD, and the next "
                "run writes it plain"
            )
        return None

    def _key(self, stack: str) -> str:
        return f"{STACKS}/{self._project}/{stack}"


class ThroughEngine:
    """States in any other kind of backend."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """Ask nothing yet."""
        self._environment = environment
        self._folder = folder
        self._seen: dict[str, str] = {}
        self._stacks: set[str] | None = None

    def stacks(self) -> set[str]:
        """List the project's stacks; asked once, since each question is a process. Making one that came meanwhile fails."""
        if self._stacks is None:
            self._stacks = set(list_stacks(self._environment, self._folder))
        return set(self._stacks)

    @contextmanager
    def held(self, stacks: Collection[str]) -> Iterator[None]:  # noqa: ARG002 there is no way
        """Do nothing: `pulumi` takes the lock of each stack while it writes."""
        yield

    def read(self, stack: str) -> Kept | None:
        """Read a state; None where there is no such stack."""
        if stack not in self.stacks():
            return None
        kept = _read(export_state(self._environment, stack, self._folder), "deployment")
        if (kept.key or {}).get("type") == "service":
            raise FleetError(
                f"stack {stack}: its secrets are encrypted by Pulumi Cloud for this stack alone: pulumi stack change-secrets-provider passphrase, "
                "then go on"
            )
        self._seen[stack] = kept.written
        return kept

    def write(self, stack: str, kept: Kept) -> None:
        """Put a state in the place of a stack's own, or make the stack with it."""
        before = self._seen.get(stack)
        now = self.read(stack)
        if now is None:
            with TemporaryDirectory(prefix="tenantry-") as scratch:
                # The stack's file is written beside Pulumi.yaml, wherever that is.
                shutil.copyfile(self._folder / "Pulumi.yaml", Path(scratch, "Pulumi.yaml"))
                init_stack(self._environment, stack, Path(scratch))
            self._stacks = {*self.stacks(), stack}
        elif before is not None and now.written != before:
            raise FleetError(f"stack {stack}: a run changed it in the meantime: begin again")
        given = replace(kept, deployment=_stamped(kept.deployment))
        import_state(self._environment, stack, given.as_export(), self._folder)
        self._seen[stack] = given.written

    def remove(self, stack: str) -> None:
        """Remove a stack with its history. One that is gone is a success."""
        if stack in self.stacks():
            remove_stack(self._environment, stack, self._folder)
            self._stacks = self.stacks() - {stack}


def _read(found: Mapping[str, Any], key: str) -> Kept:
    return Kept(
        found.get(key) or {}, int(found.get("version") or 3), tuple(found.get("features") or ())
    )


def _stamped(deployment: Mapping[str, Any]) -> dict[str, Any]:
    # Whoever compares the state with what a run left must see that it is another.
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {**deployment, "manifest": {**(deployment.get("manifest") or {}), "time": now}}
