import pytest

from tenantry.ci.annotations import Annotation, as_command, as_line, limited, of_plan, of_problems
from tenantry.planning.plan import Counts, FieldChange, Plan, Refusal, Row
from tenantry.registry import RegistryError, parse
from tenantry.registry.reading import read

REGISTRY = """\
version: 1
defaults:
  region: aws-us-east-2
tenants:
  acme:
    contact: a@b.example
    apps:
      web:
        environment: staging
        database:
          compute: {min_cu: 1, max_cu: 2}
        services: [auth, {name: storage, enabled: false}]
        api_keys:
          - {name: first}
          - {name: default, generation: 2}
      api: {environment: production}
"""
FILE = "platform/tenants.yaml"


def row(app: str | None, *fields: str, action: str = "update", **more: object) -> Row:
    changes = tuple(FieldChange(field=each, old="1", new="2") for each in fields)
    return Row.model_validate(
        {
            "stack": "prod",
            "app": app,
            "action": action,
            "resources": Counts(),
            "changes": changes,
            **more,
        }
    )


def remarks(*rows: Row, refusals: tuple[Refusal, ...] = ()) -> list[Annotation]:
    plan = Plan(summary=Counts(), rows=rows, refusals=refusals)
    return of_plan(plan, read(REGISTRY.encode(), "tenants.yaml"), FILE)


@pytest.mark.parametrize(
    ("field", "line", "column"),
    [
        ("environment", 9, 9),
        ("database.compute.max_cu", 11, 32),
        ("database.compute.suspend_after", 11, 11),
        ("services.storage.enabled", 12, 42),
        ("services.auth", 12, 20),
        ("api_keys.default.generation", 15, 29),
        ("api_keys.gone", 13, 9),
        ("tenants.acme.contact", 6, 5),
    ],
)
def test_a_change_is_shown_where_it_is_written(field: str, line: int, column: int) -> None:
    (found,) = remarks(row("acme/web", field))
    assert (found.level, found.file, found.line, found.column) == ("notice", FILE, line, column)
    assert (found.title, found.text) == ("acme/web: update", f"{field}: 1 → 2")


def test_the_first_line_of_several_stands_for_all() -> None:
    (found,) = remarks(row("acme/web", "api_keys.default.generation", "database.compute.max_cu"))
    assert found.line == 11
    assert len(found.text.splitlines()) == 2


def test_what_is_written_elsewhere_is_shown_at_the_app() -> None:
    assert [(each.line, each.column) for each in remarks(row("acme/web", "region"))] == [(8, 7)]
    assert [(each.line, each.column) for each in remarks(row("acme/api", "region"))] == [(16, 7)]


def test_what_destroys_is_a_warning() -> None:
    found = remarks(
        row("acme/old", action="delete", destroys=("project acme/old",)),
        row("acme/web", "region", action="replace"),
        row("gone/old", action="delete"),
        row(None),
    )
    assert [(each.level, each.title, each.line) for each in found] == [
        ("warning", "acme/old: delete", 7),
        ("warning", "acme/web: replace", 8),
        ("warning", "gone/old: delete", 4),
    ]
    assert found[0].text == "destroys project acme/old"
    assert found[2].text == "delete"


def test_refusals_are_errors_at_their_place() -> None:
    found = remarks(
        refusals=(
            Refusal(stack="prod", app="acme/web", text="tenants.yaml:9:22: wrong"),
            Refusal(stack="prod", app="acme/api", text="tenants.yaml: acme/api would be replaced"),
            Refusal(stack="prod", app=None, text="2 apps would leave"),
        )
    )
    assert [(each.level, each.line, each.column, each.title, each.text) for each in found] == [
        ("error", 9, 22, "acme/web", "wrong"),
        ("error", 16, 7, "acme/api", "acme/api would be replaced"),
        ("error", 1, 1, "refused", "2 apps would leave"),
    ]


def test_every_problem_is_an_error_at_its_line() -> None:
    with pytest.raises(RegistryError) as raised:
        parse(REGISTRY.replace("staging", "stagin").replace("max_cu: 2", "max_cu: x").encode())
    found = of_problems(raised.value.problems, FILE)
    assert [(each.level, each.line, each.column) for each in found] == [
        ("error", 9, 22),
        ("error", 11, 40),
    ]
    assert found[0].title == "tenants.acme.apps.web.environment"


def test_nothing_in_a_text_is_a_command_of_the_runner() -> None:
    hostile = "a\n::error::x\r\n::set-env name=PATH::/evil%0A##[add-path]/evil"
    command = as_command(Annotation("notice", "a,b:c\nd", 3, 0, "t::x,line=9", hostile))
    assert command == (
        "::notice file=a%2Cb%3Ac%0Ad,line=3,title=t%3A%3Ax%2Cline=9::"
        "a%0A::error::x%0D%0A::set-env name=PATH::/evil%250A##[add-path]/evil"
    )
    assert len(command.splitlines()) == 1


def test_a_line_for_every_other_service() -> None:
    assert as_line(Annotation("error", FILE, 3, 5, "acme/web", "one\ntwo")) == (
        "platform/tenants.yaml:3:5: error: acme/web: one; two"
    )
    assert (
        as_line(Annotation("error", FILE, 0, 0, "x", "y")) == "platform/tenants.yaml: error: x: y"
    )


def test_what_is_beyond_the_limit_is_counted() -> None:
    many = [Annotation("notice", FILE, n, 1, "t", str(n)) for n in range(25)]
    errors = [Annotation("error", FILE, n, 1, "t", str(n)) for n in range(10)]
    kept = limited([*many, *errors])
    assert [each.text for each in kept[:10]] == [str(n) for n in range(10)]
    assert [each.level for each in kept[10:]] == ["notice"] * 10
    assert kept[-1].text == "9\nand 15 more: the comment and the log have them all"


def test_a_long_text_is_cut() -> None:
    (found,) = remarks(row("acme/web", *(f"f{n}" for n in range(99))))
    assert found.text.splitlines()[-1] == "… 69 more lines"
