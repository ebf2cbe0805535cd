"""A fleet of the file's apps and of apps that were asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tenantry.catalog.errors import CatalogError
from tenantry.fleet.errors import FleetError
from tenantry.fleet.inputs import Desired, desired
from tenantry.fleet.outlook import Outlook
from tenantry.fleet.project import Project
from tenantry.fleet.removals import judge_removals
from tenantry.fleet.selection import Selection
from tenantry.fleet.standing import standings
from tenantry.registry.asked import AskedRow
from tenantry.registry.source import FileSource
from tenantry.schemas.errors import SchemaError
from tenantry.selfservice.source import JoinedSource
from tests.unit.fleet.support import Backend

PLANS = "self_service: {plans: {starter: {}, pro: {services: [auth]}}, tenants: {acme: {plans: [starter]}}}\n"


class Asked:
    """A fleet with rows; None for rows that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.backend = Backend(folder)
        self.rows: list[AskedRow] | None = []
        self.write()

    def write(self, plans: str = PLANS, apps: Sequence[str] = ("web",)) -> None:
        self.backend.registry(dict.fromkeys(apps, "deletion: delete"))
        with (self.backend.folder / "tenants.yaml").open("a") as file:
            file.write(plans)

    def ask(self, name: str, plan: str = "starter", *, going: bool = False, **outputs: Any) -> None:
        """Put a row there, and the stack that a run leaves of it."""
        assert self.rows is not None
        self.rows.append(AskedRow(f"of-{name}", "acme", name, plan, deletion_requested=going))
        self.backend.applied(name, row=f"of-{name}", **outputs)

    def desired(self) -> Desired:
        project = self.backend.fleet().project
        source = JoinedSource(FileSource(project.folder / "tenants.yaml"), self._read)
        return desired(
            project.folder, project.registry, project.environment, project.settings, source
        )

    def look(self, *only: str, **options: Any) -> Outlook:
        selection = Selection(only=frozenset(only))
        return self.backend.look(selection, desired=self.desired(), **options)

    def _read(self, _namespace: str) -> list[AskedRow]:
        if self.rows is None:
            raise CatalogError("the catalog: it sleeps")
        return self.rows


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def purposes(outlook: Outlook) -> dict[str, str]:
    outlook.check()
    return {task.app: task.purpose for task in outlook.tasks}


def test_file_and_rows_are_one_fleet(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.ask("a")
    outlook = asked.look()
    assert purposes(outlook) == {"acme/a": "update"}
    assert [row.app for row in standings(outlook)] == ["acme/web", "acme/a"]
    asked.rows = [
        AskedRow("of-a", "acme", "a", "starter"),
        AskedRow("of-b", "acme", "b", "starter"),
    ]
    assert purposes(asked.look("acme/b")) == {"acme/b": "create"}


def test_a_hand_over_between_row_and_file_is_applied(asked: Asked) -> None:
    """The stack is marked as that of a row, so the digest of the same app differs."""
    asked.write(apps=["web", "a"])
    before = asked.desired().inputs["acme/a"].digest
    asked.write(PLANS.replace("starter: {}", "starter: {deletion: delete}"))
    asked.rows = [AskedRow("of-a", "acme", "a", "starter")]
    assert asked.desired().inputs["acme/a"].digest != before


def test_an_app_whose_deletion_was_asked_for_leaves_by_the_rules_for_all(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.ask("a", going=True)
    assert purposes(asked.look("acme/a")) == {"acme/a": "remove"}
    asked.ask("b", going=True)
    with pytest.raises(FleetError, match="2 apps would leave"):
        asked.look().check()
    asked.rows = []
    asked.ask("c", going=True, deletion="protect")
    with pytest.raises(
        FleetError, match="acme/c is gone, and was applied last with 'deletion: prot"
    ):
        asked.look("acme/c").check()


def test_fewer_rows_than_the_states_have_let_nothing_go(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.ask("a")
    asked.rows = []
    with pytest.raises(FleetError) as refused:
        asked.look().check()
    assert str(refused.value) == (
        "tenants.yaml: acme/a would leave: asked for once, and no row of the catalog has it: nothing was changed. Restore what is "
        "missing (or the catalog's URL), select others with --only, or allow it by name: --allow-destroy APP"
    )
    asked.look("acme/web").check()
    allowed = asked.look("acme/a", allowed={"acme/a"})
    assert purposes(allowed) == {"acme/a": "remove"}


def test_one_lost_row_keeps_the_others_that_would_leave_too(asked: Asked) -> None:
    asked.ask("a")
    asked.rows = []
    asked.backend.applied("old")
    with pytest.raises(FleetError) as refused:
        asked.look().check()
    assert "acme/a would leave" in str(refused.value)


def test_an_app_that_is_asked_for_and_made_while_a_run_looks_is_no_lost_row(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stack is there after the rows were read, and its row was not when they were."""
    asked.backend.applied("web")

    def rows(_namespace: str) -> list[AskedRow]:
        read = list(asked.rows or ())
        monkeypatch.undo()
        asked.ask("late")
        return read

    source = JoinedSource(FileSource(asked.backend.folder / "tenants.yaml"), rows)
    monkeypatch.setattr(Project, "source", source)
    outlook = asked.backend.look()
    outlook.check()
    assert outlook.tasks == ()


def test_without_self_service_in_the_file_nothing_that_was_asked_for_goes(asked: Asked) -> None:
    asked.ask("a")
    asked.write(plans="")
    with pytest.raises(FleetError, match=r"acme/a would leave: .*the file has no self_service"):
        asked.look().check()


def test_a_catalog_that_cannot_be_read_lets_nothing_go(asked: Asked) -> None:
    """Not even an app of the file that left: it may have been handed over to a row."""
    asked.backend.applied("web")
    asked.write(apps=["lab"])
    asked.rows = None
    with pytest.raises(FleetError) as refused:
        asked.look().check()
    assert str(refused.value).startswith(
        "tenants.yaml: acme/web would leave, and may be in a row that cannot be read (the catalog: it sleeps): nothing was changed."
    )
    assert purposes(asked.look("acme/lab")) == {"acme/lab": "create"}
    assert "no app leaves in this run" in asked.look("acme/lab").notes[0]


def test_with_nothing_that_would_leave_an_unread_catalog_is_a_note(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.rows = None
    outlook = asked.look()
    outlook.check()
    assert len(outlook.notes) == 1


def test_a_plan_that_was_taken_away_leaves_its_apps_as_they_are(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.ask("a", "pro")
    asked.ask("b")
    asked.write(PLANS.replace("pro: {services: [auth]}", "other: {}"))
    outlook = asked.look()
    assert purposes(outlook) == {"acme/b": "update"}
    (note,) = outlook.notes
    assert note.startswith('catalog: acme/a: /plan: the plan "pro" is not in the registry')
    assert note.endswith("The app is left as it is; to let it go: --allow-destroy acme/a")
    assert asked.look("acme/b").notes == ()
    assert purposes(asked.look("acme/a")) == {}
    assert purposes(asked.look("acme/a", allowed={"acme/a"})) == {"acme/a": "remove"}


def test_an_app_whose_plan_was_taken_away_is_destroyed_by_name_only(asked: Asked) -> None:
    asked.ask("a", "pro")
    asked.write(PLANS.replace("pro: {services: [auth]}", "other: {}"))
    store = asked.backend.fleet().project.store
    every = asked.look(every=True)
    left = judge_removals(every, store, Selection(), "ns")
    assert "acme/a" not in {task.app for task in left.tasks}
    named = asked.look("acme/a", every=True, allowed={"acme/a"})
    going = judge_removals(named, store, Selection(only=frozenset({"acme/a"})), "")
    assert [(task.app, task.purpose) for task in going.tasks] == [("acme/a", "remove")]


def test_a_plan_whose_schema_cannot_be_used_stops_no_other(asked: Asked) -> None:
    asked.backend.applied("web")
    asked.ask("a", "pro")
    asked.ask("b")
    asked.write(PLANS.replace("services: [auth]", "database: {schema: ./none}"))
    outlook = asked.look()
    assert purposes(outlook) == {"acme/b": "update"}
    (note,) = outlook.notes
    assert note.startswith("catalog: acme/a: schema: ")
    # Of an app of the file the run is refused, as ever.
    file = asked.backend.folder / "tenants.yaml"
    file.write_text(file.read_text().replace("web: {", "web: {database: {schema: ./none}, "))
    with pytest.raises(SchemaError) as refused:
        asked.look()
    assert "acme/a" not in str(refused.value)


def test_many_that_are_left_alone_are_told_in_few_lines(asked: Asked) -> None:
    asked.rows = [AskedRow(f"{n}", "acme", f"a{n}", "gone") for n in range(50)]
    notes = asked.look().notes
    assert len(notes) == 21
    assert notes[-1] == "30 more apps that were asked for are left as they are"
