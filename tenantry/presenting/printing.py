"""What the commands print: tables, JSON, one-line errors."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
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


def print_table(heads: list[str], rows: list[list[str]]) -> None:
    """Print plain columns: a table must survive a pipe and a log as it is."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    print(json.dumps(value, indent=2))


def print_gone(what: str, *, as_json: bool) -> None:
    """Say that something is deleted, or was before."""
    if as_json:
        print_json({"id": what, "gone": True})
    else:
        print(f"{what}: gone")


def print_edit(edit: Edit, written: bool) -> None:
    """Print a change of the registry as a diff, or say that it was made."""
    if edit.before == edit.after:
        print(f"{edit.path}: nothing to change", file=sys.stderr)
    elif written:
        print(f"{edit.path}: changed", file=sys.stderr)
    else:
        # The file's own line ends, and no character that the terminal's encoding lacks.
        sys.stdout.flush()
        sys.stdout.buffer.write(edit.diff().encode())
        sys.stdout.buffer.flush()


def edit_as_json(edit: Edit, written: bool) -> dict[str, object]:
    """Give a change of the registry as JSON: `file`, `written`, `diff`."""
    changed = edit.before != edit.after
    return {"file": str(edit.path), "written": written and changed, "diff": edit.diff()}
