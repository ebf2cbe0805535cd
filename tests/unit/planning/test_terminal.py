import io

from rich.console import Console

from tenantry.planning.drift import Difference, Drift
from tenantry.planning.plan import Counts, FieldChange, Plan, Row
from tenantry.planning.terminal import show, show_drift
from tests.unit.planning.samples import MIXED, QUIET, REFUSED


def shown(plan: Plan | Drift, *, terminal: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=200, force_terminal=terminal, highlight=False, markup=False, emoji=False
    )
    if isinstance(plan, Plan):
        show(plan, console)
    else:
        show_drift(plan, console)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_the_whole_text() -> None:
    assert (
        shown(MIXED)
        == """\
app         action   create  update  replace  delete  unchanged  destroys
acme/old    delete        0       0        0      15          0  project acme/old and all data in it
acme/web    replace       0       1       18       0          3  project acme/web and all data in it
globex/lab  update        1       2        0       0         20
globex/new  create       22       0        0       0          0
stack dev   update        0       1        0       0          0

acme/old: delete
  acme/old leaves with 'deletion: delete'

acme/web: replace
  region: a → b, which replaces the project

globex/lab: update
  database.branches.qa: added
  database.compute.max_cu: 1 → 2
  services.auth: removed
  not by the registry: update role globex/lab/a: statementTimeout: 5 → 30000; password: another value

globex/new: create
  region: aws-us-east-2

stack dev: update
warning: no catalog is configured
Apps: 1 to delete, 1 to replace, 1 to update, 1 to create, 7 unchanged. Beside them: stack dev."""
    )


def test_nothing_to_do_is_one_line() -> None:
    assert shown(QUIET) == "No changes: 1 app is as the registry says."


def test_refusals_are_told_as_they_are() -> None:
    assert shown(REFUSED) == (
        "tenants.yaml: acme/web is gone: put it back\n"
        "tenants.yaml: 2 apps would leave: name them\n"
        "Refused for 2 reasons: nothing would be changed."
    )


def test_a_value_is_no_markup() -> None:
    row = Row(
        stack="dev",
        app="a/b",
        action="update",
        resources=Counts(),
        changes=(FieldChange(field="contact", old="[bold]x[/bold]", new=":smile:"),),
    )
    text = shown(Plan(summary=Counts(update=1), rows=(row,)), terminal=True)
    assert "contact: [bold]x[/bold] → :smile:" in text


def test_drift_is_a_line_for_each_resource() -> None:
    gone = Difference(stack="dev", app="a/b", kind="extension", name="a/b/citext", gone=True)
    assert shown(Drift(compared=9, differences=(gone,))) == (
        "extension a/b/citext is gone\nDrift: 1 of 9 resources are not as the state has them."
    )
    assert (
        shown(Drift(compared=9, differences=()))
        == "No drift: 9 resources are as the state has them."
    )
