"""`tenantry fleet`: every app in a stack of its own.

Each command imports what it needs when it runs: starting must stay cheap. Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from tenantry.presenting.asking import agree_to_begin
from tenantry.presenting.notes import note
from tenantry.presenting.plans import one_format, print_drift, print_plan
from tenantry.presenting.printing import fail, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tenantry.fleet.events import Event
    from tenantry.fleet.fleet import Fleet
    from tenantry.fleet.outlook import Outlook
    from tenantry.fleet.selection import Selection, Shard
    from tenantry.planning.plan import Plan

app = typer.Typer(
    name="fleet",
    help="Every app in a stack of its own, many at once.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="APP", help="This app; may be given more than once."),
]
Tenants = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="TENANT", help="The apps of this tenant; more than once."),
]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment", metavar="ENVIRONMENT", help="production, staging or development."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--changed-since", metavar="REF", help="Apps that differ from the registry at this commit."
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="One of N parts of the fleet, by the apps' ids."),
]
Every = Annotated[bool, typer.Option("--all", help="Also apps that nothing changed about.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-destroy",
        metavar="APP",
        help="An app that may leave, or lose something for good, beside others; more than once.",
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        "--parallel", min=1, help="How many stacks at once. Default: by cores and memory."
    ),
]
File = Annotated[
    Path | None,
    typer.Option("--registry", help="The registry. Default: tenantry:registry, or tenants.yaml."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
]
AsDocument = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsMarkdown = Annotated[
    bool,
    typer.Option("--markdown", help="Print Markdown, at most as long as a comment on GitHub."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it begins.")]


@app.command()
def up(  # noqa: PLR0913 options
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    changed_since: Since = None,
    shard: ShardOf = None,
    every: Every = False,
    allow_destroy: Allow = None,
    parallel: Parallel = None,
    registry: File = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply what tenantry fleet plan --out kept, without asking, and refuse where something moved since.",
        ),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Converge the apps whose inputs changed since their last success. With nothing changed no engine starts.

    tenantry fleet up --yes --tenant acme

    Exit code: 0; 1 where an app did not end well, or the run is refused.

    JSON: one object a line, whose "event" is begun, started, progress, noted, waiting, finished or summary.
    """
    if plan is not None:
        if only or tenant or environment or changed_since or shard or every or allow_destroy:
            fail("--plan: the plan says which apps, and what may be destroyed")
        _up_reviewed(plan, registry, parallel, as_json=as_json)
    with _errors():
        fleet = _fleet(registry)
        selection = _selection(fleet, only, tenant, environment, changed_since, shard)
        outlook = fleet.look(selection, every=every, allowed=allow_destroy or ())
        outlook.check()
        if outlook.tasks and not yes:
            _ask(outlook)
        with _interruptible(fleet), _teller(as_json=as_json) as tell:
            summary = fleet.up(
                selection,
                every=every,
                allowed=allow_destroy or (),
                parallel=parallel,
                tell=tell,
                outlook=outlook,
            )
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def plan(  # noqa: PLR0913 options
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    changed_since: Since = None,
    shard: ShardOf = None,
    every: Every = False,
    allow_destroy: Allow = None,
    parallel: Parallel = None,
    registry: File = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep the plan, for tenantry fleet up --plan FILE."),
    ] = None,
    as_json: AsDocument = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Show what `fleet up` would do with the same options, in the registry's own words. Takes no lock.

    tenantry fleet plan --changed-since main

    Exit code: 0 where there is nothing to do; 2 where there is; 1 where something is refused, or an app cannot be planned.

    JSON: plan.schema.json, which tenantry schema plan prints.
    """
    one_format(as_json, as_markdown)
    with _errors():
        fleet = _fleet(registry)
        selection = _selection(fleet, only, tenant, environment, changed_since, shard)
        with _interruptible(fleet), _teller(beside=True) as tell:
            made, summary = fleet.plan(
                selection, every=every, allowed=allow_destroy or (), parallel=parallel, tell=tell
            )
    if out is not None and (made.refusals or summary.failed):
        print(f"{out}: not written", file=sys.stderr)
    elif out is not None:
        _keep(made, out)
    print_plan(made, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(1 if summary.failed else made.exit_code)


def _keep(made: Plan, out: Path) -> None:
    from tenantry.planning.keeping import write_plan
    from tenantry.presenting.printing import one_line_errors

    with one_line_errors():
        write_plan(made, out)


def _up_reviewed(
    file: Path, registry: Path | None, parallel: int | None, *, as_json: bool
) -> NoReturn:
    from tenantry.fleet.errors import FleetError
    from tenantry.fleet.planning import AGAIN
    from tenantry.planning.keeping import read_plan
    from tenantry.presenting.printing import one_line_errors

    with one_line_errors():
        reviewed = read_plan(file, AGAIN)
    fleet = _fleet(registry)
    try:
        with _interruptible(fleet), _teller(as_json=as_json) as tell:
            summary = fleet.up_reviewed(reviewed, parallel=parallel, tell=tell)
    except FleetError as error:
        for line in str(error).splitlines():
            print(f"{file}: {line}", file=sys.stderr)
        fail(f"{file}: nothing was applied: {AGAIN} {file}, and have it reviewed")
    if not reviewed.stacks:
        print(f"{file}: nothing to do", file=sys.stderr)
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def drift(  # noqa: PLR0913 options
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    shard: ShardOf = None,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Ask about every resource of each app as well, with an engine for each."
        ),
    ] = False,
    share: Annotated[
        str | None,
        typer.Option(
            "--share",
            metavar="1/N",
            help="With --deep: of one of N parts of the fleet, another one each hour.",
        ),
    ] = None,
    parallel: Parallel = None,
    registry: File = None,
    as_json: AsDocument = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """Compare the clouds' lists with the states: what is gone, renamed, set otherwise, or nobody's. Changes nothing, takes no lock.

    tenantry fleet drift --deep --share 1/24

    Exit code: 0; 3 where something differs; 1 where the clouds, or an app, cannot be asked about.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    one_format(as_json, as_markdown)
    if share is not None and (shard is not None or not deep):
        fail("--share: with --deep, and without --shard, which says itself which part it is")
    with _errors():
        fleet = _fleet(registry)
        selection = _selection(fleet, only, tenant, environment, None, shard)
        with _interruptible(fleet), _teller(beside=True) as tell:
            found, summary = fleet.drift(
                selection, deep=deep, share=_turn(share), parallel=parallel, tell=tell
            )
    print_drift(found, as_json=as_json, as_markdown=as_markdown)
    raise typer.Exit(1 if summary.failed else found.exit_code)


@app.command()
def destroy(  # noqa: PLR0913 options
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    shard: ShardOf = None,
    confirm: Annotated[
        str,
        typer.Option("--confirm", metavar="NAMESPACE", help="Any number of apps may be destroyed."),
    ] = "",
    parallel: Parallel = None,
    registry: File = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Destroy the stacks of the selected apps, or give their projects up, by the deletion that was applied last. None that is protected.

    tenantry fleet destroy --only acme/web-dev --yes

    Exit code: 0; 1 where an app did not end well, or it is refused.

    JSON: as of tenantry fleet up.
    """
    if not (only or tenant or environment or shard or confirm):
        fail(
            "which apps: --only, --tenant, --environment or --shard; all of them: --confirm NAMESPACE"
        )
    with _errors():
        fleet = _fleet(registry)
        selection = _selection(fleet, only, tenant, environment, None, shard)
        if not yes:
            _ask(fleet.going(selection, confirmed=confirm))
        with _interruptible(fleet), _teller(as_json=as_json) as tell:
            summary = fleet.destroy(selection, confirmed=confirm, parallel=parallel, tell=tell)
    raise typer.Exit(1 if summary.failed else 0)


@app.command()
def status(
    *,
    only: Only = None,
    tenant: Tenants = None,
    environment: Environments = None,
    changed_since: Since = None,
    shard: ShardOf = None,
    registry: File = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Say how each app's stack stands: applied, changed, new, failed, gone from the registry. Starts no engine, asks no cloud.

    tenantry fleet status --json

    Exit code: 0.

    JSON: [{"app", "stack", "standing", "ended", "result"}].
    """
    from tenantry.fleet.standing import standings

    with _errors():
        fleet = _fleet(registry)
        selection = _selection(fleet, only, tenant, environment, changed_since, shard)
        outlook = fleet.look(selection)
    rows = standings(outlook)
    if as_json:
        print_json([row.as_json() for row in rows])
        return
    if rows:
        print_table(
            ["app", "stack", "standing", "last run", "result"], [row.as_text() for row in rows]
        )
    for line in (*outlook.notes, *outlook.refused):
        print(line, file=sys.stderr)


def _fleet(registry: Path | None) -> Fleet:
    from tenantry.fleet.fleet import Fleet

    return Fleet(Path.cwd(), registry=registry)


def _selection(
    fleet: Fleet,
    only: list[str] | None,
    tenants: list[str] | None,
    environments: list[str] | None,
    since: str | None,
    shard: str | None,
) -> Selection:
    from tenantry.fleet.selection import Selection, Shard

    return Selection(
        only=frozenset(only or ()),
        tenants=frozenset(tenants or ()),
        environments=frozenset(environments or ()),
        changed=None if since is None else fleet.changed_since(since),
        shard=None if shard is None else Shard.of(shard),
    )


def _turn(share: str | None) -> Shard | None:
    """Find the part of the fleet whose turn it is, and say which."""
    if share is None:
        return None
    from datetime import UTC, datetime

    from tenantry.fleet.selection import Shard

    turn = Shard.of_the_hour(share, datetime.now(UTC))
    print(f"looking deep into share {turn.number} of {turn.count}", file=sys.stderr)
    return turn


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what a run is refused for into lines of an error."""
    from tenantry.fleet.errors import FleetError
    from tenantry.registry import SelectionError

    try:
        yield
    except (FleetError, SelectionError) as error:
        fail(str(error))


@contextmanager
def _interruptible(fleet: Fleet) -> Iterator[None]:
    """Let the first Ctrl-C begin nothing more, and the second end what is in flight."""
    told = (
        "Nothing new begins; what is in flight is finished. Ctrl-C again ends it.",
        "What is in flight ends after its current steps. Ctrl-C again ends it at once.",
    )
    times = 0

    def stop(_number: int, _frame: object) -> None:
        nonlocal times
        if times < len(told):
            print(f"\n{told[times]}", file=sys.stderr, flush=True)
        times += 1
        fleet.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _teller(*, as_json: bool = False, beside: bool = False) -> Iterator[Callable[[Event], None]]:
    """Tell a person, or a program; `beside` keeps standard output free for a document."""
    if as_json:
        yield _tell_json
        return
    from tenantry.fleet.telling import Teller

    with Teller(sys.stderr if beside else sys.stdout, sys.stderr) as teller:
        yield teller


def _tell_json(event: Event) -> None:
    from tenantry.fleet.events import as_json

    print(json.dumps(as_json(event)), flush=True)


def _ask(outlook: Outlook) -> None:
    counts: dict[str, int] = {}
    for task in outlook.tasks:
        counts[task.purpose] = counts.get(task.purpose, 0) + 1
    what = ", ".join(f"{count} to {purpose}" for purpose, count in counts.items())
    for line in outlook.notes:
        note(line)
    agree_to_begin(what, "Begin")
