"""`tenantry fleet split`, `join` and `copy-states`: states go from stack to stack, or from backend to backend; no cloud is asked."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.notes import note
from tenantry.presenting.printing import fail, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenantry.fleet.moves import Move, Moves
    from tenantry.fleet.project import Project

PENDING = 2
"""The exit code where something would be moved."""

Only = Annotated[
    list[str] | None,
    typer.Option("--app", "--only", metavar="APP", help="This app; may be given more than once."),
]
Tenants = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="TENANT", help="The apps of this tenant; more than once."),
]
Registry = Annotated[
    Path | None,
    typer.Option("--registry", help="The registry. Default: tenantry:registry, or tenants.yaml."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be moved, and move nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def split(
    *,
    source: Annotated[
        str,
        typer.Option("--from", metavar="STACK", help="The big stack. Default: the selected one."),
    ] = "",
    only: Only = None,
    tenant: Tenants = None,
    registry: Registry = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Give each app of a big stack a stack of its own, by moving state. No cloud is asked, and nothing in one is changed.

    tenantry fleet split --from dev --dry-run

    Exit code: 0 moved, or nothing to move; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"operation", "stack", "moves": [{"app", "source", "target", "resources", "standing"}], "stays", "notes", "backup", "done"}.
    """
    from tenantry.fleet import moves

    with _errors():
        project, stack = _where(registry, source)
        planned = moves.plan_split(
            project, project.states, stack, only=set(only or ()), tenants=set(tenant or ())
        )

        def act(tell: Callable[[Move], None]) -> Moves:
            return moves.split(project, project.states, planned, tell)

        _carry_out(planned, act, dry_run=dry_run, yes=yes, as_json=as_json)


def join(
    *,
    target: Annotated[
        str,
        typer.Option("--into", metavar="STACK", help="The big stack. Default: the selected one."),
    ] = "",
    only: Only = None,
    tenant: Tenants = None,
    registry: Registry = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put the apps that have a stack of their own into a big one, by moving state. No cloud is asked, and nothing in one is changed.

    tenantry fleet join --into dev --dry-run

    Exit code: 0 moved, or nothing to move; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"operation", "stack", "moves": [{"app", "source", "target", "resources", "standing"}], "stays", "notes", "backup", "done"}.
    """
    from tenantry.fleet import moves

    with _errors():
        project, stack = _where(registry, target)
        planned = moves.plan_join(
            project, project.states, stack, only=set(only or ()), tenants=set(tenant or ())
        )

        def act(tell: Callable[[Move], None]) -> Moves:
            return moves.join(project, project.states, planned, tell)

        _carry_out(planned, act, dry_run=dry_run, yes=yes, as_json=as_json)


def copy_states(*, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Copy all stacks, with their history, to the backend that TENANTRY_STATES_TO names: from a folder to PostgreSQL, or back.

    The old ones stay, locked. The next run is made with PULUMI_BACKEND_URL set to the new one, and has nothing to do.

    tenantry fleet copy-states --dry-run

    Exit code: 0 copied, or there already; 2 with --dry-run where something would be; 1 refused or an error.

    JSON: {"stacks", "there", "keys", "source", "target", "done"}.
    """
    from tenantry.fleet.copying import TARGET, copy_states
    from tenantry.fleet.project import Project
    from tenantry.running.stack import backend_url, list_stacks
    from tenantry.states.store import open_tree

    with _errors():
        project = Project.open(Path.cwd())
        environment = project.environment
        url = environment.get(TARGET)
        if not url:
            fail(
                f"{TARGET}: set it to the URL of the backend to copy to, as postgres://USER:PASSWORD@HOST/DATABASE"
            )
        old = environment.get("PULUMI_BACKEND_URL") or backend_url(environment)
        # The engine makes the table and what says of which form the states are.
        if not dry_run:
            list_stacks({**environment, "PULUMI_BACKEND_URL": url}, project.folder)
        source, target = open_tree(old, project.name), open_tree(url, project.name)
        if source is None or target is None:
            fail(
                "copy-states: both backends must be a folder (file://) or PostgreSQL (postgres://): of others, pulumi stack export and import"
            )
        if source.where == target.where and old == url:
            fail(f"{TARGET}: is the backend that the states are in")
        if not (yes or dry_run):
            what = f"From {source.where} to {target.where}"
            agree_to_begin(what, "Copy", otherwise="nothing was copied")
        copied = copy_states(
            source,
            target,
            project.name,
            lambda stack: print(stack, file=sys.stderr, flush=True),
            dry_run=dry_run,
        )
    if as_json:
        print_json({**asdict(copied), "done": not dry_run})
    else:
        again = f", {len(copied.there)} there already" if copied.there else ""
        print(
            f"{'to copy' if dry_run else 'copied'}: {len(copied.stacks)} stacks ({copied.keys} files) to {copied.target}{again}"
        )
    raise typer.Exit(PENDING if dry_run and copied.stacks else 0)


def _where(registry: Path | None, stack: str) -> tuple[Project, str]:
    from tenantry.fleet.project import Project
    from tenantry.running.stack import selected

    project = Project.open(Path.cwd(), registry=registry)
    return project, stack or selected(project.environment)


def _carry_out(
    planned: Moves,
    act: Callable[[Callable[[Move], None]], Moves],
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    if dry_run or not planned.moves:
        _show(planned, as_json=as_json, done=False)
        raise typer.Exit(PENDING if planned.moves else 0)
    if not yes:
        _ask(planned)
    _show(act(_note), as_json=as_json, done=True)


def _ask(planned: Moves) -> None:
    what = f"{len(planned.moves)} apps {'from' if planned.operation == 'split' else 'into'} stack {planned.stack}"
    for line in planned.notes:
        note(line)
    agree_to_begin(what, "Move", otherwise="nothing was moved")


def _note(move: Move) -> None:
    print(f"{move.app}: {move.source} -> {move.target}", file=sys.stderr, flush=True)


def _show(moves: Moves, *, as_json: bool, done: bool) -> None:
    if as_json:
        print_json({**asdict(moves), "done": done and bool(moves.moves)})
        return
    if moves.moves and not done:
        rows = [
            [each.app, each.source, each.target, str(each.resources), each.standing]
            for each in moves.moves
        ]
        print_table(["app", "from", "to", "resources", ""], rows)
    for line in moves.notes:
        print(line, file=sys.stderr)
    stays = f", {len(moves.stays)} stay in {moves.stack}" if moves.stays else ""
    if not moves.moves:
        print(f"{moves.operation}: nothing to move{stays}")
    else:
        print(f"{moves.operation}: {len(moves.moves)} {'moved' if done else 'to move'}{stays}")
    if moves.backup:
        print(f"the states of before: {moves.backup}")


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what is refused into lines of an error."""
    from tenantry.fleet.errors import FleetError
    from tenantry.fleet.project import READING

    try:
        yield
    except (FleetError, *READING) as error:
        fail(str(error))
