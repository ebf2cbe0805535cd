"""`tenantry plan` and `tenantry drift`: what a run would do, and what was changed behind its back."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting.printing import fail, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from tenantry.planning.drift import Drift
    from tenantry.planning.plan import Plan

_UNBOUNDED = 10_000
"""Columns: a pipe has no width, and a line that is broken there cannot be searched."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object: plan.schema.json.")]
AsMarkdown = Annotated[
    bool,
    typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
]


def plan(
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the plan, for tenantry up --plan FILE."),
    ] = None,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced, beside another; may be given more than once.",
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look at the cloud first, and plan what drifted too.")
    ] = False,
    as_json: AsJson = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show what tenantry up would do, in the registry's own words. Nothing is changed.

    tenantry plan --out plan.json

    Exit code: 0 nothing to do, 2 changes pending, 1 refused or an error.

    JSON: plan.schema.json, which tenantry schema plan prints.
    """
    one_format(as_json, as_markdown)
    with one_line_errors():
        made = planned(allow_destroy or [], refresh=refresh)
        if out is not None and made.refusals:
            print(f"{out}: not written", file=sys.stderr)
        elif out is not None:
            from tenantry.planning.keeping import write_plan

            write_plan(made, out)
    print_plan(made, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(made.exit_code)


def drift(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show what in the clouds is not as the stack's state has it. Nothing is changed.

    tenantry drift

    Exit code: 0 nothing differs, 3 something does, 1 an error.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    one_format(as_json, as_markdown)
    with one_line_errors():
        found = looked()
    print_drift(found, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(found.exit_code)


def planned(allowed: Sequence[str], *, refresh: bool = False) -> Plan:
    """Plan what a run of the current stack would do, with a line of progress on a terminal.

    :param allowed: the apps that may leave or be replaced beside others
    :param refresh: ask the clouds first
    :raises OneLineError: it cannot be planned
    """
    from tenantry.planning.current import current_plan
    from tenantry.registry.permission import LEAVING, VARIABLE
    from tenantry.running.local import current_environment
    from tenantry.running.serving import served

    environment = current_environment(Path.cwd())
    # For this plan only: what the shell has from an earlier run does not count.
    environment = {**environment, VARIABLE: ",".join(allowed), LEAVING: ""}
    with served(environment) as (environment, client), progress("Planning") as said:
        return current_plan(
            Path.cwd(),
            environment,
            allowed=allowed,
            refresh=refresh,
            options=client,
            progress=said,
        )


def looked() -> Drift:
    """Compare the current stack with the clouds, with a line of progress on a terminal.

    :raises OneLineError: they cannot be asked
    """
    from tenantry.planning.drift import drift_of
    from tenantry.planning.previewing import look
    from tenantry.running.local import current_environment
    from tenantry.running.serving import served

    environment = current_environment(Path.cwd())
    with served(environment) as (environment, client), progress("Looking") as said:
        return drift_of([look(environment, options=client, progress=said)])


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


def one_format(as_json: bool, as_markdown: bool) -> None:
    """Refuse two forms at once."""
    if as_json and as_markdown:
        fail("--json and --markdown: choose one")
