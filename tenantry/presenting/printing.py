"""What the commands print: tables, JSON, one-line errors."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from tenantry.errors import TenantryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.registry.editing import Edit


def fail(message: str) -> NoReturn:
    """Print an error and end with exit code 1."""
    print(message, file=sys.stderr)
    raise typer.Exit(1)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with exit code 1 and the failure's own text, where that says all by itself."""
    try:
        yield
    except TenantryError as error:
        fail(_explained(error))


def _explained(error: TenantryError) -> str:
    from tenantry.running.errors import UnreadableStateError

    if not isinstance(error, UnreadableStateError):
        return str(error)
    from tenantry.states.explaining import explain

    return explain(error)


def own_command(*, anywhere: bool = False) -> str:
    """Name this command as the reader's shell finds it.

    By its name where PATH leads to it, else by its path: from the current folder where it lies below that.

    :param anywhere: for a line that is run in another folder too
    """
    called, found = Path(sys.argv[0]).absolute(), shutil.which("tenantry")
    if not anywhere and called.is_relative_to(Path.cwd()):
        return str(called.relative_to(Path.cwd()))
    if called.name != "tenantry" or not called.exists():
        return "tenantry"
    return "tenantry" if found and called.samefile(found) else str(called)


def print_table(heads: list[str], rows: list[list[str]]) -> None:
    """Print plain columns: a table must survive a pipe and a log as it is."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def print_json(value: object) -> None:
    """Print a value as indented JSON; a dataclass as an object, a moment in UTC."""
    print(json.dumps(value, indent=2, default=_as_json))


def print_gone(what: str, *, as_json: bool) -> None:
    """Say that something is deleted, or was before."""
    if as_json:
        print_json({"id": what, "gone": True})
    else:
        print(f"{what}: gone")


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def print_edit(
    edit: Edit, written: bool, *, as_json: bool = False, next_: str = "", **facts: object
) -> None:
    """Print a change of the registry as a diff, or say that it was made.

    :param as_json: print an object instead, of `facts` and `file`, `written`, `diff`
    :param next_: what to do then, said on standard error; not as JSON
    """
    changed = edit.before != edit.after
    if as_json:
        told = {"file": str(edit.path), "written": written and changed, "diff": edit.diff()}
        print_json(facts | told)
        return
    if not changed:
        print(f"{edit.path}: nothing to change", file=sys.stderr)
    elif written:
        print(f"{edit.path}: changed", file=sys.stderr)
    else:
        # As bytes: the file keeps its line ends, and the terminal's encoding may lack a character.
        sys.stdout.flush()
        sys.stdout.buffer.write(edit.diff().encode())
        sys.stdout.buffer.flush()
    if next_:
        print(next_, file=sys.stderr, flush=True)
