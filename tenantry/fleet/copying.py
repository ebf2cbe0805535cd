"""Copies the states of a project, with their history, from one backend to another: from a folder to a database, say.

Both must be of a kind whose files are known (`file://`, `postgres://`). What was copied stays where it was, under a
lock that names no process of any machine, so that nobody goes on with it by mistake; whoever goes back to it deletes
that file, `moved.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenantry.fleet.errors import FleetError
from tenantry.states.layout import ENDINGS, HISTORY, LOCKS, STACKS, TAGS
from tenantry.states.locks import lock_content
from tenantry.states.store import InTree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenantry.fleet.project import Project
    from tenantry.states.tree import Tree

TARGET: Final = "TENANTRY_STATES_TO"
"""The variable with the URL of the other backend. It may hold a password, so it is no argument."""
_MOVED: Final = "moved.json"
_PASSING: Final = (".attrs", ".part")
"""What the engine, or a writer, keeps beside a file for itself."""
_ENDINGS: Final = (TAGS, *ENDINGS)
"""What is copied of a stack beside its history, by what follows its name."""


@dataclass(frozen=True)
class Copied:
    """What was copied."""

    stacks: tuple[str, ...]
    there: tuple[str, ...]
    """Stacks that an earlier run copied, and that are the same in both places."""
    keys: int
    """How many files, or rows, that is."""
    source: str
    target: str


def open_both(project: Project, *, dry_run: bool = False) -> tuple[Tree, Tree]:
    """Open the backend that a project's states are in, and the one that `TENANTRY_STATES_TO` names.

    :param dry_run: do not prepare the other one
    :raises FleetError: no other one is named, or one of them is of a kind that cannot be read from here
    :raises StackError: the engine cannot prepare it
    """
    from tenantry.running.stack import backend_url, list_stacks
    from tenantry.states.tree import open_tree

    environment = project.environment
    url = environment.get(TARGET)
    if not url:
        raise FleetError(
            f"{TARGET}: set it to the URL of the backend to copy to, as postgres://USER:PASSWORD@HOST/DATABASE"
        )
    old = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
    # The engine makes the table, and the file that says in which form the states are.
    if not dry_run:
        list_stacks({**environment, "PULUMI_BACKEND_URL": url}, project.folder)
    source, target = open_tree(old, project.name), open_tree(url, project.name)
    if source is None or target is None:
        raise FleetError(
            "copy-states: both backends must be a folder (file://) or PostgreSQL (postgres://): "
            "of others, pulumi stack export and import"
        )
    if source.where == target.where and old == url:
        raise FleetError(f"{TARGET}: is the backend that the states are in")
    return source, target


def copy_states(
    source: Tree,
    target: Tree,
    project: str,
    tell: Callable[[str], None] = lambda _: None,
    *,
    dry_run: bool = False,
) -> Copied:
    """Copy all stacks of a project, and lock those that were copied.

    A stack comes after its history, so that one that is there is whole; what was killed is gone on with.

    :param target: a backend that the engine has prepared
    :param tell: is told of each stack
    :param dry_run: say what would be copied, and write nothing
    :raises FleetError: somebody is at work on a stack, or the target holds another state of it
    :raises StatesError: one of them does not answer
    """
    states = InTree(source, project)
    own = f"{LOCKS}/{project}/"
    mine, theirs = _by_stack(source, project), _by_stack(target, project)
    copied = {stack for stack in mine if source.read(f"{own}{stack}/{_MOVED}") is not None}
    left = sorted(mine.keys() - copied)
    with states.hold(() if dry_run else left):
        there = [
            stack
            for stack in left
            if stack in theirs and _same(source, target, mine, theirs, stack)
        ]
        coming = [stack for stack in left if stack not in there]
        count = 0
        for stack in coming:
            history = source.keys(f"{HISTORY}/{project}/{stack}/")
            for key in [*(each for each in history if not each.endswith(_PASSING)), *mine[stack]]:
                if not dry_run:
                    target.write(key, source.read(key) or b"")
                count += 1
            tell(stack)
        # No machine is called so: nobody takes it for the lock of a process that died.
        for stack in () if dry_run else left:
            source.write(f"{own}{stack}/{_MOVED}", lock_content(f"moved to {target.where}"))
    return Copied(
        tuple(coming), tuple(sorted({*there, *copied})), count, source.where, target.where
    )


def _by_stack(tree: Tree, project: str) -> dict[str, list[str]]:
    """List the keys of each stack, without its history; the state comes last."""
    folder = f"{STACKS}/{project}/"
    listed = tree.keys(folder)
    found: dict[str, list[str]] = {}
    for ending in _ENDINGS:
        for key in listed:
            name = key.removeprefix(folder)
            if name.endswith(ending) and "/" not in name:
                found.setdefault(name.removesuffix(ending), []).append(key)
    return {stack: keys for stack, keys in found.items() if keys != [f"{folder}{stack}{TAGS}"]}


def _same(
    source: Tree,
    target: Tree,
    mine: Mapping[str, list[str]],
    theirs: Mapping[str, list[str]],
    stack: str,
) -> bool:
    if {key: source.read(key) for key in mine[stack]} != {
        key: target.read(key) for key in theirs[stack]
    }:
        raise FleetError(
            f"{target.where} holds another state of stack {stack}: nothing was copied. Look at both; where the one there is not needed: "
            f"pulumi stack rm {stack} --force --preserve-config, with that backend"
        )
    return True
