"""What the commands print: tables, JSON, one-line errors."""

import json
import sys
from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Print an error and end with exit code 1."""
    print(message, file=sys.stderr)
    raise typer.Exit(1)


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
