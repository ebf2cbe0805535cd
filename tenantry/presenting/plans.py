"""Plans and drift on standard output: as text, as Markdown, or as JSON."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from tenantry.presenting.printing import fail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tenantry.planning.drift import Drift
    from tenantry.planning.plan import Plan

_UNBOUNDED = 10_000
"""Columns: a pipe has no width, and a line that is broken there cannot be searched."""


def one_format(as_json: bool, as_markdown: bool) -> None:
    """Refuse two forms at once."""
    if as_json and as_markdown:
        fail("--json and --markdown: choose one")


def print_plan(made: Plan, *, as_json: bool = False, as_markdown: bool = False) -> None:
    """Print a plan on standard output."""
    _any_encoding()
    if as_json:
        print(made.model_dump_json(indent=2))
    elif as_markdown:
        from tenantry.planning.markdown import markdown

        print(markdown(made), end="")
    else:
        from tenantry.planning.terminal import show

        show(made, _console())


def show_before_run(made: Plan, *, as_json: bool) -> None:
    """Show the plan that a run begins with; end with exit code 1 where it is refused.

    :param as_json: as an object of `--json`, on one line
    """
    if as_json:
        from tenantry.applying.telling import tell_object

        tell_object("planned", plan=made.model_dump(mode="json"))
    else:
        print_plan(made)
    if made.refusals:
        raise typer.Exit(1)


def print_drift(found: Drift, *, as_json: bool = False, as_markdown: bool = False) -> None:
    """Print what drifted on standard output."""
    _any_encoding()
    if as_json:
        print(found.model_dump_json(indent=2))
    elif as_markdown:
        from tenantry.planning.markdown import drift_markdown

        print(drift_markdown(found), end="")
    else:
        from tenantry.planning.terminal import show_drift

        show_drift(found, _console())


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show on a terminal's standard error how many resources were compared; say nothing anywhere else."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …") as status:
        yield lambda number: status.update(f"{what}: {number} resources compared")


def _any_encoding() -> None:
    # A terminal that lacks a character gets its number, not a traceback.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else _UNBOUNDED
    return Console(width=width, highlight=False, markup=False, emoji=False)
