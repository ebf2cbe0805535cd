import pytest

from tenantry.planning.drift import Difference, Drift
from tenantry.planning.markdown import LIMIT, drift_markdown, markdown
from tenantry.planning.plan import Counts, FieldChange, Plan, Refusal, Row
from tests.unit.planning.samples import MIXED, QUIET, REFUSED


def many(number: int, changes: int, value: str = "x") -> Plan:
    fields = tuple(FieldChange(field=f"f{n}", old=value, new=f"{value}2") for n in range(changes))
    rows = tuple(
        Row(
            stack="dev",
            app=f"acme/app-{n:05}",
            action="update",
            resources=Counts(update=1),
            changes=fields,
        )
        for n in range(number)
    )
    return Plan(summary=Counts(update=number), rows=rows)


def test_the_whole_text() -> None:
    assert (
        markdown(MIXED)
        == """\
### Apps: 1 to delete, 1 to replace, 1 to update, 1 to create, 7 unchanged. Beside them: stack dev.

| app | action | create | update | replace | delete | unchanged | destroys |
|---|---|---:|---:|---:|---:|---:|---|
| `acme/old` | **delete** | 0 | 0 | 0 | 15 | 0 | `project acme/old and all data in it` |
| `acme/web` | **replace** | 0 | 1 | 18 | 0 | 3 | `project acme/web and all data in it` |
| `globex/lab` | update | 1 | 2 | 0 | 0 | 20 |  |
| `globex/new` | create | 22 | 0 | 0 | 0 | 0 |  |
| `stack dev` | update | 0 | 1 | 0 | 0 | 0 |  |

<details><summary><code>acme/old</code>: delete</summary>

```text
acme/old leaves with 'deletion: delete'
```

</details>

<details><summary><code>acme/web</code>: replace</summary>

```text
region: a → b, which replaces the project
```

</details>

<details><summary><code>globex/lab</code>: update</summary>

```text
database.branches.qa: added
database.compute.max_cu: 1 → 2
services.auth: removed
not by the registry: update role globex/lab/a: statementTimeout: 5 → 30000; password: another value
```

</details>

<details><summary><code>globex/new</code>: create</summary>

```text
region: aws-us-east-2
```

</details>

```text
no catalog is configured
```
"""
    )


def test_nothing_to_do() -> None:
    assert markdown(QUIET) == "### No changes: 1 app is as the registry says.\n"


def test_refusals() -> None:
    assert (
        markdown(REFUSED)
        == """\
### Refused for 2 reasons: nothing would be changed.

```text
tenants.yaml: acme/web is gone: put it back
tenants.yaml: 2 apps would leave: name them
```
"""
    )


@pytest.mark.parametrize(
    "plan",
    [
        many(100, 50),
        many(5000, 3),
        many(3, 2000),
        many(40, 20, "ü" * 300),
        many(1, 1, "x" * 100_000),
    ],
    ids=["many", "very many", "long rows", "other letters", "one long line"],
)
def test_what_does_not_fit_is_cut_and_said(plan: Plan) -> None:
    text = markdown(plan)
    assert len(text.encode()) <= LIMIT
    assert "cut" in text or "more characters" in text
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert text.startswith(f"### Apps: {len(plan.rows)} to update")


def test_what_is_cut_is_counted() -> None:
    text = markdown(many(300, 50))
    shown = text.count("<details>")
    assert 0 < shown < 300
    assert f"The details of {300 - shown} apps are cut" in text
    assert text.count("| `acme/app-") == 300


def test_refusals_that_do_not_fit_are_cut() -> None:
    refusals = tuple(Refusal(stack="dev", app=None, text=f"{n} {'x' * 300}") for n in range(1000))
    text = markdown(Plan(summary=Counts(), rows=(), refusals=refusals))
    assert len(text.encode()) <= LIMIT
    assert "more lines are cut" in text


def test_a_value_cannot_leave_its_block() -> None:
    change = FieldChange(field="contact", old="```", new="````")
    row = Row(
        stack="dev",
        app="a/b",
        action="update",
        resources=Counts(),
        destroys=("x|`y`",),
        changes=(change,),
    )
    text = markdown(Plan(summary=Counts(update=1), rows=(row,)))
    assert "\n`````text\ncontact: ``` → ````\n`````\n" in text
    assert "| `x\\|'y'` |" in text


def test_drift() -> None:
    gone = [
        Difference(stack="dev", app="a/b", kind="extension", name=f"a/b/{n}", gone=True)
        for n in range(2)
    ]
    assert (
        drift_markdown(Drift(compared=9, differences=tuple(gone)))
        == """\
### Drift: 2 of 9 resources are not as the state has them.

```text
extension a/b/0 is gone
extension a/b/1 is gone
```
"""
    )
    assert len(drift_markdown(Drift(compared=9, differences=tuple(gone * 5000))).encode()) <= LIMIT
    assert drift_markdown(Drift(compared=9, differences=())).startswith("### No drift")
