import json
from typing import Any

import pytest

from tenantry.planning.plan import Counts, Row
from tests.unit.planning.support import (
    ADOPTION,
    API_KEY,
    APP,
    BRANCH,
    CATALOG,
    EXTENSION,
    GRAPH,
    MIGRATION,
    PROJECT,
    RECORD,
    ROLE,
    SECRET,
    UNKNOWN,
    Event,
    app,
    application,
    outputs,
    plan,
    said,
    step,
)

WEB = app()


def only(*events: list[Event]) -> Row:
    (row,) = plan(*events).rows
    return row


def updated(kind: str, name: str, **facts: Any) -> Row:
    return only(application(WEB, WEB, step("update", kind, name, **facts)))


def others(row: Row) -> list[str]:
    return [each.text for each in row.others]


def test_an_app_that_stays_as_it_is_is_counted_and_has_no_row() -> None:
    made = plan(
        application(WEB, WEB, step("same", PROJECT, "acme/web", old={"a": 1}, new={"a": 1}))
    )
    assert (made.rows, made.summary, made.exit_code) == ((), Counts(unchanged=1), 0)


def test_a_changed_field_accounts_for_the_resources_that_follow_it() -> None:
    bigger = app(database={"connection_limit": 12})
    row = only(
        application(
            WEB,
            bigger,
            step(
                "update",
                ROLE,
                "acme/web/a",
                old={"connectionLimit": 20},
                new={"connectionLimit": 12},
                diffs=["connectionLimit"],
            ),
            step("same", PROJECT, "acme/web", old={}, new={}),
        )
    )
    assert (row.action, row.app, row.resources) == (
        "update",
        "acme/web",
        Counts(update=1, unchanged=1),
    )
    assert [each.text for each in row.changes] == ["database.connection_limit: 20 → 12"]
    assert row.others == ()


def test_what_no_field_accounts_for_is_shown_by_resource_and_property() -> None:
    row = only(
        application(
            WEB,
            app(database={"connection_limit": 12}),
            step(
                "update",
                ROLE,
                "acme/web/a",
                old={"connectionLimit": 20, "statementTimeout": 5},
                new={"connectionLimit": 12, "statementTimeout": 30000},
                diffs=["connectionLimit", "statementTimeout"],
            ),
            step("create", EXTENSION, "acme/web/citext", new={"name": "citext"}),
        )
    )
    assert others(row) == [
        "create extension acme/web/citext",
        "update role acme/web/a: statementTimeout: 5 → 30000",
    ]


def test_a_nested_property_is_told_by_what_differs_in_it() -> None:
    row = updated(
        PROJECT,
        "acme/web",
        old={"defaultEndpointSettings": {"max": 2, "min": 1, "__defaults": [1]}},
        new={"defaultEndpointSettings": {"max": 4, "min": 1, "__defaults": []}},
    )
    assert others(row) == ["update project acme/web: defaultEndpointSettings.max: 2 → 4"]


def test_what_the_cloud_last_told_is_the_old_value_of_an_input_that_stays() -> None:
    row = updated(
        PROJECT,
        "acme/web",
        old={"historyRetentionSeconds": 21600},
        new={"historyRetentionSeconds": 21600},
        diffs=["historyRetentionSeconds"],
        old_outputs={"historyRetentionSeconds": 43200},
    )
    assert others(row) == ["update project acme/web: historyRetentionSeconds: 43200 → 21600"]


def test_a_secret_that_changed_is_said_and_not_shown() -> None:
    row = updated(
        ROLE,
        "acme/web/a",
        old={"password": SECRET},
        new={"password": SECRET},
        diffs=["password"],
    )
    assert others(row) == ["update role acme/web/a: password: another value"]


def test_a_value_that_follows_from_another_step_is_not_a_change_of_its_own() -> None:
    row = only(
        application(
            WEB,
            app(database={"branches": [{"name": "qa"}]}),
            step("create", BRANCH, "acme/web/qa", new={"name": "qa"}),
            step(
                "update",
                RECORD,
                "acme/web",
                old={"resources": {}},
                new={"resources": {"branch qa": UNKNOWN}},
            ),
        )
    )
    assert others(row) == []


def test_a_row_of_the_catalog_alone_is_shown() -> None:
    row = updated(RECORD, "acme/web", old={"status": "gone"}, new={"status": "active"})
    assert others(row) == ['update row of the app acme/web: status: "gone" → "active"']


def test_a_field_that_no_resource_holds_is_pending_too() -> None:
    made = plan(application(WEB, app(deletion="protect")))
    assert made.exit_code == 2
    assert made.rows[0].resources == Counts()
    assert made.rows[0].changes[0].field == "deletion"


def test_a_new_app() -> None:
    row = only(application(None, WEB, step("create", PROJECT, "acme/web", new={"name": "x"})))
    assert (row.action, row.resources, row.others) == ("create", Counts(create=1), ())


def test_a_new_app_that_takes_a_project_over_says_what_changes_about_it() -> None:
    found = {
        "project": "p-1",
        "name": "kitchen",
        "databases": ["neondb", "menu"],
        "roles": ["neondb_owner"],
        "settings": {
            "region": "aws-us-east-2",
            "database": {
                "postgres_version": 17,
                "history_retention": 604_800,
                "quota": {"logical_size": 1024},
                "compute": {"min_cu": 0.25, "max_cu": 4, "suspend_after": 300},
            },
        },
    }
    taking = {"name": "tenantry--acme--web", "project": "p-1", "found": json.dumps(found)}
    adopting = app(adopt={"project": "p-1"})
    row = only(
        application(
            None,
            adopting,
            step("create", ADOPTION, "acme/web/adoption", new=taking),
            step("create", PROJECT, "acme/web", new={"name": "tenantry--acme--web"}),
        )
    )
    assert row.action == "create"
    taken, *changed = row.notes
    assert taken == (
        "takes over project p-1, renamed from kitchen to tenantry--acme--web: its databases (neondb, menu), roles and "
        "data stay, and the app's own are made beside them"
    )
    assert changed == [
        "of the project: database.compute.max_cu: 4 → 2",
        "of the project: database.history_retention: 7d → 6h",
    ]
    taking_over = "adopt.project: p-1, which is taken over with its data"
    assert taking_over in [each.text for each in row.changes]


def test_an_adoption_that_is_done_may_be_taken_out_of_the_registry() -> None:
    row = only(
        application(
            app(adopt={"project": "p-1"}),
            WEB,
            step("delete", ADOPTION, "acme/web/adoption", old={"project": "p-1"}),
            step("same", PROJECT, "acme/web", old={"a": 1}, new={"a": 1}),
        )
    )
    assert (row.action, row.destroys, row.others) == ("update", (), ())
    assert [each.text for each in row.changes] == [
        "adopt: {project: p-1} → none, which changes nothing: the project is the app's already"
    ]


def test_an_app_that_leaves_says_what_is_lost() -> None:
    told = (
        "acme/web leaves with 'deletion: delete': its Neon project and all data in it are destroyed"
    )
    row = only(
        [said("warning", told)],
        application(
            WEB,
            None,
            step("delete", PROJECT, "acme/web", old={}),
            step("delete", BRANCH, "acme/web/qa", old={}),
            step("delete", ROLE, "acme/web/a", old={}),
            step("delete", API_KEY, "acme/web/ci/1", old={}),
            step("delete", GRAPH, "acme/web", old={}),
        ),
    )
    assert (row.action, row.notes) == ("delete", (told,))
    assert row.destroys == (
        "API key acme/web/ci/1",
        "graph acme/web and all data in it",
        "project acme/web and all data in it",
    )


def test_what_is_retained_is_not_lost() -> None:
    row = only(
        application(WEB, None, step("delete", PROJECT, "acme/web", old={}, retainOnDelete=True))
    )
    assert (row.action, row.destroys) == ("delete", ())


def test_a_replaced_project_is_a_replaced_app() -> None:
    moved = app(region="aws-eu-central-1")
    row = only(
        application(
            WEB,
            moved,
            step("replace", PROJECT, "acme/web", old={"regionId": "a"}, new={"regionId": "b"}),
            step("replace", ROLE, "acme/web/a", old={}, new={}),
            step(
                "replace",
                MIGRATION,
                "acme/web/schema",
                old={"revisions": ["r1"]},
                new={"revisions": ["r1"]},
            ),
            step("update", RECORD, "acme/web", old={"region": "a"}, new={"region": "b"}),
        )
    )
    assert (row.action, row.others) == ("replace", ())
    assert row.destroys == ("project acme/web and all data in it",)
    assert row.notes == ("migration: runs r1",)
    assert "which replaces the project" in row.changes[0].text


def test_new_revisions_of_a_history_are_named_though_no_field_changed() -> None:
    row = updated(
        MIGRATION,
        "acme/web/schema",
        old={"revisions": ["r1"], "target": "r1", "digest": "x"},
        new={"revisions": ["r1", "r2"], "target": "r2", "digest": "y"},
    )
    assert (row.notes, row.others) == (("migration: runs r2",), ())


def test_revisions_that_are_taken_back_are_named() -> None:
    row = only(
        application(
            WEB,
            app(database={"schema": {"template": "base", "revision": "r1"}}),
            step(
                "update",
                MIGRATION,
                "acme/web/schema",
                old={"revisions": ["r1", "r2"]},
                new={"revisions": ["r1"]},
            ),
        )
    )
    assert row.notes == ("migration: takes back r2, with the data in what they made",)


def test_drift_of_a_schema_is_never_taken_for_an_edit() -> None:
    row = only(
        application(
            WEB,
            app(database={"schema": {"template": "base"}}),
            step(
                "update",
                MIGRATION,
                "acme/web/schema",
                old={"drift": ["table users is gone"]},
                new={"drift": []},
            ),
        )
    )
    assert others(row) == ['update migration acme/web/schema: drift: ["table users is gone"] → []']


def test_what_a_stack_has_beside_its_apps_is_a_row_of_its_own() -> None:
    row = only(step("create", CATALOG, "catalog", new={}))
    assert (row.app, row.name, row.action) == (None, "stack dev", "update")
    assert others(row) == ["create tables catalog"]


def test_a_state_of_before_there_were_declared_texts_still_gives_words() -> None:
    old: dict[str, Any] = {
        k: v
        for k, v in outputs(app(database={"branches": [{"name": "qa"}]})).items()
        if k != "declared"
    }
    new = app(region="aws-eu-central-1", database={"compute": {"max_cu": 4}})
    row = only(
        step("same", APP, "acme/web", old=old, new=outputs(new)),
        step(
            "update",
            PROJECT,
            "acme/web",
            old={"defaultEndpointSettings": 2},
            new={"defaultEndpointSettings": 4},
        ),
    )
    assert [each.field for each in row.changes] == ["database.branches.qa", "region"]
    assert others(row) == ["update project acme/web: defaultEndpointSettings: 2 → 4"]


def test_what_destroys_comes_first_then_by_action_and_name() -> None:
    branch_leaves = application(
        app("b/b", database={"branches": [{"name": "x"}]}),
        app("b/b"),
        step("same", PROJECT, "b/b", old={}, new={}),
        step("delete", BRANCH, "b/b/x", old={}),
    )
    grows = application(app("a/a"), app("a/a", database={"connection_limit": 5}))
    new = [
        application(None, app(f"{name}/x"), step("create", PROJECT, f"{name}/x", new={}))
        for name in "dc"
    ]
    leaves = application(app("z/z"), None, step("delete", PROJECT, "z/z", old={}))
    made = plan(*new, grows, branch_leaves, leaves)
    assert [row.name for row in made.rows] == ["z/z", "b/b", "a/a", "c/x", "d/x"]
    assert made == plan(leaves, *reversed(new), branch_leaves, grows)
    assert made.summary == Counts(create=2, update=2, delete=1)


def test_refusals_come_all_at_once_each_with_its_app() -> None:
    made = plan(
        [
            said(
                "error",
                "tenants.yaml: acme/web is gone, and was applied last with 'deletion: protect'\n"
                "tenants.yaml: graph acme/api/ada: is gone\n"
                'tenants.yaml:20:19: tenants.globex.apps.lab.region: "x" is not a region\n'
                "tenants.yaml: 2 apps would leave",
            )
        ]
    )
    assert [each.app for each in made.refusals] == ["acme/web", "acme/api", "globex/lab", None]
    assert (made.exit_code, made.rows, made.stacks) == (1, (), ())


@pytest.mark.parametrize("property_", ["", ": property project value {p-1}"])
def test_what_a_provider_refuses_is_said_in_its_own_words(property_: str) -> None:
    text = "acme/web: adopt.project: project p-1 has PostgreSQL 16"
    raw = f"{ADOPTION} resource 'acme/web/adoption'{property_} has a problem: {text}"
    (refusal,) = plan([said("error", raw)]).refusals
    assert (refusal.app, refusal.text) == ("acme/web", text)


def test_an_exception_of_the_program_stays_in_one_piece() -> None:
    trace = 'Traceback (most recent call last):\n  File "x.py"\nKeyError: 1'
    (refusal,) = plan([said("error", trace)]).refusals
    assert refusal.text == trace


def test_a_warning_about_no_app_is_kept_beside() -> None:
    made = plan([said("warning", "no catalog is configured")], application(WEB, WEB))
    assert (made.warnings, made.exit_code) == (("no catalog is configured",), 0)
