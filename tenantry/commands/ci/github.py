"""`tenantry ci github`: what is said on GitHub, and the plan that was reviewed there."""

import os
from typing import Annotated

import typer

from tenantry.ci.files import COMMENT, FOLDER, ISSUE, PLAN, clear, read
from tenantry.commands.ci.options import Out
from tenantry.commands.options import AsJson
from tenantry.presenting.printing import fail, one_line_errors, print_json
from tenantry.presenting.reviews import print_written

app = typer.Typer(name="github", help="What is said on GitHub.", no_args_is_help=True)

Author = Annotated[
    str, typer.Option(help="Whose comments and issues are ours: the login behind GITHUB_TOKEN.")
]
_BOT = "github-actions[bot]"


@app.command()
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
    from tenantry.ci.github import GitHub
    from tenantry.ci.runner import event

    with one_line_errors():
        body = read(out / COMMENT)
        pull_request = event(os.environ).get("pull_request")
        if number is None and isinstance(pull_request, dict):
            number = int(pull_request["number"])
        if number is None:
            fail("--number: this run is of no pull request: say which one")
        with GitHub(os.environ) as there:
            done = there.put_comment(number, body, author)
    print_written("comment", done, as_json=as_json)


@app.command()
def issue(*, out: Out = FOLDER, author: Author = _BOT, as_json: AsJson = False) -> None:
    """Open the issue that issue.md is for, or update the open one; close it where nothing differs any more.

    tenantry ci github issue

    Reads GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL.

    Exit code: 0 done, 1 an error.

    JSON: {"done", "url"}.
    """
    from tenantry.ci.github import GitHub
    from tenantry.ci.texts import title_of_drift

    with one_line_errors():
        body = read(out / ISSUE)
        title = title_of_drift(os.environ.get("PULUMI_STACK", ""))
        with GitHub(os.environ) as there:
            done = there.put_issue(title, body, author)
    print_written("issue", done, as_json=as_json)


@app.command("plan")
def reviewed_plan(*, out: Out = FOLDER, as_json: AsJson = False) -> None:
    """Fetch the plan that was reviewed.

    It is that of the pull request whose merge is built, or of this run if it was started by hand.

    tenantry ci github plan

    Reads GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_SHA, GITHUB_EVENT_NAME, GITHUB_RUN_ID and
    PULUMI_STACK.
    plan.json is written to the folder.

    Exit code: 0 done, 1 there is none, or an error.

    JSON: {"plan"}, the file.
    """
    from tenantry.ci.github import GitHub

    clear(out, PLAN)
    commit = os.environ.get("GITHUB_SHA", "")
    with one_line_errors():
        with GitHub(os.environ) as there:
            if os.environ.get("GITHUB_EVENT_NAME") == "workflow_dispatch":
                run = os.environ.get("GITHUB_RUN_ID", "")
                content = there.plan_of_run(run, _artifact(commit))
            else:
                content = there.reviewed_plan(commit, _artifact)
        out.mkdir(parents=True, exist_ok=True)
        (out / PLAN).write_bytes(content)
    if as_json:
        print_json({"plan": str(out / PLAN)})
    else:
        print(out / PLAN)


def _artifact(commit: str) -> str:
    return f"tenantry-plan-{os.environ.get('PULUMI_STACK', '')}-{commit}"
