"""A plan in a file, and the check that what is about to be applied is what was reviewed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from tenantry.planning.digests import change_digests
from tenantry.planning.errors import PlanError
from tenantry.planning.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tenantry.planning.plan import Stack

AGAIN: Final = "make it again with tenantry plan --out"


def write_plan(plan: Plan, path: Path) -> None:
    """Keep a plan, whole or not at all.

    :raises PlanError: the file cannot be written
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(plan.model_dump_json(indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PlanError(f"{path}: cannot be written: {error.strerror}") from None


def read_plan(path: Path, again: str = AGAIN) -> Plan:
    """Read a plan that was kept.

    :param again: how to make it again, for messages; the file's name follows

    :raises PlanError: it cannot be read, is no plan of this version, or was edited
    """
    try:
        plan = Plan.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValidationError, UnicodeDecodeError):
        raise PlanError(f"{path}: is no plan of this version: {again} {path}") from None
    for stack in plan.stacks:
        rows = [row for row in plan.rows if row.stack == stack.name]
        if change_digests(rows) != stack.digests.changes:
            raise PlanError(f"{path}: was changed after it was made: {again} {path}")
    return plan


def moved(reviewed: Plan, now: Plan) -> list[str]:
    """Return one line for each thing that is not as it was when the plan was made; none where all of it is.

    :param reviewed: the plan that was read
    :param now: the plan of this moment, without refusals
    """
    lines = []
    before = {stack.name: stack for stack in reviewed.stacks}
    after = {stack.name: stack for stack in now.stacks}
    if before.keys() != after.keys():
        lines.append(f"stack: the plan is of {_names(before)}, and this run is of {_names(after)}")
    for name in sorted(before.keys() & after.keys()):
        lines += _moved(before[name], after[name])
    return lines


def is_applied(reviewed: Plan, now: Plan) -> bool:
    """Tell whether what was reviewed is done: a run applied it, so the state moved, and nothing else did."""
    before = {stack.name: stack for stack in reviewed.stacks}
    after = {stack.name: stack for stack in now.stacks}
    return (
        not (now.rows or now.refusals)
        and before.keys() == after.keys()
        and all(
            before[name].selection == after[name].selection
            and before[name].digests.registry == after[name].digests.registry
            and before[name].digests.program == after[name].digests.program
            for name in before
        )
    )


def _moved(before: Stack, after: Stack) -> list[str]:
    lines = []
    if gone := set(before.selection) - set(after.selection):
        lines.append(f"selection: {_names(gone)} was selected then, and is not now")
    if come := set(after.selection) - set(before.selection):
        lines.append(f"selection: {_names(come)} was not selected then, and is now")
    old, new = before.digests, after.digests
    if edited := _differing(old.registry, new.registry, shared=True):
        lines.append(f"registry: {_names(edited)} is declared otherwise than it was reviewed")
    if old.program != new.program:
        lines.append("program: the code or a package that it is built on is another")
    if applied := _differing(old.state, new.state):
        lines.append(f"state: {_names(applied)} was changed by a run since")
    if not lines and old.settings != new.settings:
        lines.append(
            f"settings: those of {before.name}, the environment or a revision of its schema are not as they were reviewed"
        )
    if not lines and (others := _differing(old.changes, new.changes)):
        lines.append(
            f"changes: what would be done to {_names(others)} is not what was reviewed: a setting of the stack, the "
            "environment or a migration's file is another"
        )
    return lines


def _differing(
    before: Mapping[str, str], after: Mapping[str, str], *, shared: bool = False
) -> list[str]:
    names = before.keys() & after.keys() if shared else before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name))


def _names(names: Iterable[str]) -> str:
    said = sorted(name or "what the stack has beside its apps" for name in names)
    most = 10
    return ", ".join(said[:most]) + (f" and {len(said) - most} more" if len(said) > most else "")
