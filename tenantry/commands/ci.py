"""`tenantry ci`: the steps of a CI service around the registry."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.presenting.plans import print_drift, print_plan, progress
from tenantry.presenting.printing import fail, one_line_errors, one_line_kinds, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.ci.annotations import Annotation
    from tenantry.ci.github import GitHub, Written
    from tenantry.planning.plan import Plan
    from tenantry.registry import RegistryError

app = typer.Typer(
    name="ci",
    help="The steps of a CI service: review a pull request, apply what was merged, look for drift.",
    no_args_is_help=True,
)
github = typer.Typer(help="What is said on GitHub.", no_args_is_help=True)
app.add_typer(github, name="github")

FOLDER = Path(".tenantry/ci")
_COMMENT = "comment.md"
_ISSUE = "issue.md"
_PLAN = "plan.json"
_RUN = "run.json"

Registry = Annotated[
    Path, typer.Argument(help="The registry, as the stack's tenantry:registry names it.")
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Author = Annotated[
    str, typer.Option(help="Whose comments and issues are ours: the login behind GITHUB_TOKEN.")
]
_BOT = "github-actions[bot]"


@app.command()
def validate(registry: Registry = Path("tenants.yaml"), *, as_json: AsJson = False) -> None:
    """Check the registry and annotate its lines. Needs no secret and no engine: what a fork's pull request gets.

    tenantry ci validate

    Exit code: 0 valid, 1 not valid.

    JSON: {"annotations": [{"file", "line", "column", "title", "text", "level"}]}.
    """
    from tenantry.registry import RegistryError, load

    try:
        found = load(registry)
    except RegistryError as error:
        _annotate(_of_problems(error, registry), as_json=as_json)
        raise typer.Exit(1) from None
    _annotate([], as_json=as_json)
    if not as_json:
        print(f"{registry}: {len(found.apps)} app{'' if len(found.apps) == 1 else 's'}: valid")


@app.command()
def pr(
    registry: Registry = Path("tenants.yaml"),
    *,
    out: Out = FOLDER,
    allow_destroy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="APP",
            help="An app that may leave or be replaced, beside another; may be given more than once.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Validate and plan; write the comment and the plan, and annotate the registry's lines. Changes nothing.

    tenantry ci pr

    comment.md and plan.json are written to the folder; no plan.json where the run would be refused.

    Exit code: 0 nothing to do, 2 changes pending, 1 not valid, refused or an error.

    JSON: {"exit_code", "folder", "annotations": [{"file", "line", "column", "title", "text", "level"}]}.
    """
    from tenantry.ci import texts
    from tenantry.ci.runner import commit_of, in_repository, summarize
    from tenantry.planning.current import plan_current
    from tenantry.registry import RegistryError, load

    stack = os.environ.get("PULUMI_STACK", "")
    _fresh(out, _COMMENT, _PLAN)
    made = None
    try:
        load(registry)
        with progress("Planning") as said:
            made = plan_current(Path.cwd(), allow_destroy or (), progress=said)
        comment = texts.of_plan(made, stack, commit_of(os.environ))
        annotations = _of_plan(made, registry)
    except RegistryError as error:
        file = in_repository(registry, os.environ)
        comment = texts.of_problems([str(each) for each in error.problems], file, stack)
        annotations = _of_problems(error, registry)
    except one_line_kinds() as error:
        comment = texts.of_failure(str(error), stack)
        annotations = [_failure(str(error), registry)]
    with one_line_errors():
        _write(out / _COMMENT, comment)
        summarize(comment, os.environ)
        if made and not made.refusals:
            from tenantry.planning.keeping import write_plan

            write_plan(made, out / _PLAN)
    if made and not as_json:
        _show(made)
    code = made.exit_code if made else 1
    _annotate(annotations, as_json=as_json, exit_code=code, folder=str(out))
    raise typer.Exit(code)


@app.command()
def apply(
    *,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Apply this plan and nothing else, and refuse where something moved since. By default, whatever the registry says now.",
        ),
    ] = None,
    out: Out = FOLDER,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
    ] = False,
) -> None:
    """Converge, as tenantry up does, and note which process does it, so that its lock can be released if it is cut off.

    tenantry ci apply --plan .tenantry/ci/plan.json

    Exit code: 0 applied, or nothing to do; 1 refused, failed or interrupted.

    JSON: as that of tenantry up.
    """
    from tenantry.ci.runner import on_github, taken_as_text
    from tenantry.commands.up import up

    _fresh(out, _RUN)
    code = 0
    with nullcontext() if as_json else taken_as_text(os.environ):
        try:
            up(
                yes=True,
                allow_destroy=None,
                plan=plan,
                run_file=out / _RUN,
                as_json=as_json,
            )
        except typer.Exit as ended:
            code = ended.exit_code
    if code and on_github(os.environ) and not as_json:
        print("::error title=tenantry up::The lines above say what is there and what goes on.")
    raise typer.Exit(code)


@app.command()
def release(
    *,
    out: Out = FOLDER,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long a run that is still at work is waited for."
        ),
    ] = 120,
    as_json: AsJson = False,
) -> None:
    """Delete the lock that tenantry ci apply left behind here when it was cut off: of its own process only, once that is dead.

    tenantry ci release

    Exit code: 0 no lock of it is left, 1 it is still at work, or its lock cannot be seen.

    JSON: {"released": [{"stack", "holder"}]}.
    """
    from tenantry.recovery.looking import Looker
    from tenantry.recovery.own_run import noted
    from tenantry.recovery.own_run import release as release_locks
    from tenantry.running.local import current_environment

    with one_line_errors():
        run = noted(out / _RUN)
        released = []
        if run is not None:
            store = Looker(Path.cwd(), current_environment(Path.cwd())).store
            released = release_locks(run, store, wait)
            (out / _RUN).unlink(missing_ok=True)
    if as_json:
        print_json(
            {"released": [{"stack": each.stack, "holder": each.holder} for each in released]}
        )
    else:
        for each in released:
            print(f"released: the lock of {each.holder} on {each.stack}")
        if not released:
            print("no lock of a run of this folder is left")


@app.command()
def drift(*, out: Out = FOLDER, as_json: AsJson = False) -> None:
    """Look for drift and write the issue's text. Changes nothing.

    tenantry ci drift

    issue.md is written to the folder, also where nothing differs: tenantry ci github issue then closes the issue.

    Exit code: 0 nothing differs, 3 something does, 1 an error.

    JSON: drift.schema.json, which tenantry schema drift prints.
    """
    from tenantry.ci import texts
    from tenantry.ci.runner import summarize, taken_as_text
    from tenantry.planning.current import look_at_current

    _fresh(out, _ISSUE)
    with nullcontext() if as_json else taken_as_text(os.environ), one_line_errors():
        with progress("Looking") as said:
            found = look_at_current(Path.cwd(), progress=said)
        text = texts.of_drift(found, os.environ.get("PULUMI_STACK", ""))
        _write(out / _ISSUE, text)
        summarize(text, os.environ)
        print_drift(found, as_json=as_json)
    raise typer.Exit(found.exit_code)


@github.command()
def comment(
    *,
    out: Out = FOLDER,
    number: Annotated[
        int | None,
        typer.Option(help="The pull request. By default the one that set off the run."),
    ] = None,
    author: Author = _BOT,
    as_json: AsJson = False,
) -> None:
    """Write comment.md on the pull request, in place of the comment that is there already.

    tenantry ci github comment

    Reads GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL and GITHUB_EVENT_PATH.

    Exit code: 0 done, 1 an error.

    JSON: {"done", "url"}.
    """
    from tenantry.ci.runner import event

    with one_line_errors():
        body = _read(out / _COMMENT)
        pull_request = event(os.environ).get("pull_request")
        if number is None and isinstance(pull_request, dict):
            number = int(pull_request["number"])
        if number is None:
            fail("--number: this run is of no pull request: say which one")
        with _github() as there:
            done = there.put_comment(number, body, author)
    _tell("comment", done, as_json=as_json)


@github.command()
def issue(*, out: Out = FOLDER, author: Author = _BOT, as_json: AsJson = False) -> None:
    """Open the issue that issue.md is for, or update the open one; close it where nothing differs any more.

    tenantry ci github issue

    Reads GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL.

    Exit code: 0 done, 1 an error.

    JSON: {"done", "url"}.
    """
    from tenantry.ci.texts import title_of_drift

    with one_line_errors():
        body = _read(out / _ISSUE)
        title = title_of_drift(os.environ.get("PULUMI_STACK", ""))
        with _github() as there:
            done = there.put_issue(title, body, author)
    _tell("issue", done, as_json=as_json)


@github.command("plan")
def reviewed_plan(*, out: Out = FOLDER, as_json: AsJson = False) -> None:
    """Fetch the plan that was reviewed: that of the pull request whose merge is built, or of this run if it was started by hand.

    tenantry ci github plan

    Reads GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_SHA, GITHUB_EVENT_NAME, GITHUB_RUN_ID and PULUMI_STACK.
    plan.json is written to the folder.

    Exit code: 0 done, 1 there is none, or an error.

    JSON: {"plan"}, the file.
    """
    _fresh(out, _PLAN)
    commit = os.environ.get("GITHUB_SHA", "")
    with one_line_errors():
        with _github() as there:
            if os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch":
                run = os.environ.get("GITHUB_RUN_ID", "")
                content = there.plan_of_run(run, _artifact(commit))
            else:
                content = there.reviewed_plan(commit, _artifact)
        out.mkdir(parents=True, exist_ok=True)
        (out / _PLAN).write_bytes(content)
    if as_json:
        print_json({"plan": str(out / _PLAN)})
    else:
        print(out / _PLAN)


def _artifact(commit: str) -> str:
    return f"tenantry-plan-{os.environ.get('PULUMI_STACK', '')}-{commit}"


def _of_plan(made: Plan, registry: Path) -> list[Annotation]:
    from tenantry.ci.annotations import of_plan
    from tenantry.ci.runner import in_repository
    from tenantry.registry.reading import read

    source = read(registry.read_bytes(), str(registry))
    return of_plan(made, source, in_repository(registry, os.environ))


def _of_problems(error: RegistryError, registry: Path) -> list[Annotation]:
    from tenantry.ci.annotations import of_problems
    from tenantry.ci.runner import in_repository

    return of_problems(error.problems, in_repository(registry, os.environ))


def _failure(text: str, registry: Path) -> Annotation:
    from tenantry.ci.annotations import Annotation
    from tenantry.ci.runner import in_repository

    return Annotation("error", in_repository(registry, os.environ), 0, 0, "tenantry plan", text)


def _annotate(annotations: Sequence[Annotation], *, as_json: bool, **more: object) -> None:
    from dataclasses import asdict

    from tenantry.ci.annotations import as_command, as_line, limited
    from tenantry.ci.runner import on_github

    if as_json:
        print_json({**more, "annotations": [asdict(each) for each in annotations]})
        return
    if on_github(os.environ):
        for each in limited(annotations):
            print(as_command(each), flush=True)
    else:
        for each in annotations:
            print(as_line(each), flush=True)


def _show(made: Plan) -> None:
    from tenantry.ci.runner import taken_as_text

    with taken_as_text(os.environ):
        print_plan(made)


def _github() -> GitHub:
    from tenantry.ci.github import GitHub

    return GitHub(os.environ)


def _tell(what: str, done: Written, *, as_json: bool) -> None:
    if as_json:
        print_json({"done": done.done, "url": done.url})
    else:
        print(f"{what}: {done.done}" + (f": {done.url}" if done.url else ""))


def _fresh(folder: Path, *names: str) -> None:
    # What an earlier run left must not pass for this one's.
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _write(file: Path, text: str) -> None:
    from tenantry.ci.errors import CiError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CiError(f"{file}: cannot be written: {error.strerror}") from None


def _read(file: Path) -> str:
    from tenantry.ci.errors import CiError

    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CiError(
            f"{file}: cannot be read: {error.strerror}: tenantry ci pr, or tenantry ci drift, writes it"
        ) from None
