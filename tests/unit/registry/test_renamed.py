"""What `renamed_from` may say, and which app of a stack each app of the registry is."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tenantry.registry import Registry, RegistryError, parse
from tenantry.registry.applied import AppliedApp, applied_apps
from tenantry.registry.renamed import Followed, can_go, follow
from tenantry.registry.transition import TransitionError

HEAD = "version: 1\ndefaults: {environment: staging, region: gwc}\ntenants:\n"
FILE = Path("tenants.yaml")


def registry(tenants: str) -> Registry:
    return parse((HEAD + tenants).encode())


def refused(tenants: str) -> list[str]:
    with pytest.raises(RegistryError) as found:
        registry(tenants)
    return [line.removeprefix("tenants.yaml:") for line in str(found.value).splitlines()]


def held(app: str, *formerly: str, partly: str = "", graphs: tuple[str, ...] = ()) -> AppliedApp:
    made = AppliedApp(app, "protect", "", "azure-gwc", 17, 1, frozenset())
    places: dict[str, Mapping[str, str]] = {graph: {} for graph in graphs}
    return replace(made, formerly=formerly, partly=partly, graphs=places)


def followed(
    tenants: str, *applied: AppliedApp, moved: Mapping[str, str] | None = None
) -> Followed:
    found = registry(tenants)
    return follow(applied, found.apps, moved or {}, FILE, registered=[app.id for app in found.apps])


@pytest.mark.parametrize(
    ("tenants", "lines"),
    [
        (
            "  a: {apps: {b: {renamed_from: a/b}}}\n",
            [
                "4:32: tenants.a.apps.b.renamed_from: a/b is what it is called now: write what it was called before, or delete the key"
            ],
        ),
        (
            "  a: {apps: {b: {renamed_from: a/c}, c: {}}}\n",
            [
                (
                    "4:32: tenants.a.apps.b.renamed_from: a/c is in the registry: one of the two is another app. Take a/c out, or delete this "
                    "key (names are exchanged in two steps, over a third name)"
                )
            ],
        ),
        (
            "  a: {apps: {b: {renamed_from: a/x}, c: {renamed_from: [a/y, a/x]}}}\n",
            [
                "4:62: tenants.a.apps.c.renamed_from[1]: a/b says that it was a/x too: only one can have been"
            ],
        ),
        (
            "  a: {apps: {b: {renamed_from: [a/x, a/x]}}}\n",
            ["4:38: tenants.a.apps.b.renamed_from[1]: a/x is in the list twice: keep one"],
        ),
        (
            "  a: {renamed_from: b, apps: {}}\n  b: {apps: {}}\n",
            [
                (
                    "4:21: tenants.a.renamed_from: b is in the registry: one of the two is another tenant. Take b out, or delete this key (names "
                    "are exchanged in two steps, over a third name)"
                )
            ],
        ),
        (
            "  a: {apps: {b: {renamed_from: web}}}\n",
            [
                '4:32: tenants.a.apps.b.renamed_from: "web" is not an app\'s id: write tenant/app, such as acme/web'
            ],
        ),
        (
            "  a: {apps: {b: {renamed_from: 7}}}\n",
            ['4:32: tenants.a.apps.b.renamed_from: must be text, not 7: write it in quotes, "7"'],
        ),
        (
            "  a: {apps: {b: {renamed_from: }}}\n",
            [
                (
                    '4:18: tenants.a.apps.b.renamed_from: is empty: the file may be cut off here; write "renamed_from: []" to add nothing, or '
                    "delete the key"
                )
            ],
        ),
    ],
    ids=["itself", "there still", "two of one", "twice", "a tenant", "no id", "a number", "empty"],
)
def test_what_cannot_be_is_refused(tenants: str, lines: list[str]) -> None:
    assert refused(tenants) == lines


def test_an_app_has_the_ids_that_it_had_under_its_tenants_earlier_names() -> None:
    found = registry(
        "  b: {renamed_from: [a2, a], apps: {x: {}, y: {renamed_from: b/z}, w: {renamed_from: c/w}}}\n"
        "  d: {apps: {v: {renamed_from: a/x}}}\n"
    )
    assert {app.id: app.renamed_from for app in found.apps} == {
        # One that was taken to another tenant at the same time says so itself, and it is no other's.
        "b/x": ("a2/x",),
        "b/y": ("b/z", "a2/y", "a/y", "a2/z", "a/z"),
        "b/w": ("c/w", "a2/w", "a/w"),
        "d/v": ("a/x",),
    }
    # Nothing of it is part of what is declared: taken out, it changes nothing.
    assert "renamed_from" not in found.apps[0].model_dump()


def test_a_renamed_app_is_the_one_that_the_stack_holds() -> None:
    found = followed(
        "  a: {apps: {new: {renamed_from: a/old}, other: {}}}\n",
        held("a/old", graphs=("a/old", "a/old/ann")),
        held("a/other"),
    )
    assert [(app.id, app.formerly) for app in found.applied] == [
        ("a/new", ("a/old",)),
        ("a/other", ()),
    ]
    assert list(found.applied[0].graphs) == ["a/new", "a/new/ann"]
    assert [(app.id, app.formerly) for app in found.selected] == [
        ("a/new", ("a/old",)),
        ("a/other", ()),
    ]
    assert found.aliases == {"a/new": ("a/old",)}
    assert found.settled == ()
    names = found.selected[0].names
    assert (names.project, names.stack, names.graph) == (
        "tenantry--a--new",
        "a--new",
        "tenantry--a--new",
    )
    assert (names.database, names.owner_role) == ("tenant_a__old", "tenant_a__old__owner")
    assert names.login_role(2) == "tenant_a__old__login_b"


def test_the_first_names_stay_through_every_later_renaming() -> None:
    found = followed(
        "  b: {apps: {c: {renamed_from: b/b}}}\n", held("b/b", "a/b", "a/a"), held("b/x")
    )
    (app,) = found.selected
    assert app.formerly == ("b/b", "a/b", "a/a")
    assert (app.names.database, app.names.api_key_prefix("k")) == ("tenant_a__a", "a--k")
    assert found.aliases == {"b/c": ("b/b", "a/b", "a/a")}


def test_once_applied_it_may_go_and_the_names_stay() -> None:
    applied = held("a/new", "a/old")
    said = followed("  a: {apps: {new: {renamed_from: a/old}}}\n", applied)
    silent = followed("  a: {apps: {new: {}}}\n", applied)
    assert (said.settled, silent.settled) == (("a/new",), ())
    assert said.selected[0].names == silent.selected[0].names
    assert silent.selected[0].names.database == "tenant_a__old"
    assert can_go(["a/new"]).startswith("renamed_from of a/new was applied here")
    assert " and 2 more was" in can_go([f"a/{n}" for n in "abcdefg"])


def test_what_another_app_is_called_now_is_never_taken_from_it() -> None:
    # The old id is in the registry again, or in the stack at least.
    again = followed("  a: {apps: {new: {}, old: {}}}\n", held("a/new", "a/old"))
    assert again.aliases == {}
    leaves = followed("  a: {apps: {new: {}}}\n", held("a/new", "a/old"), held("a/old"))
    assert leaves.aliases == {}
    assert [app.id for app in leaves.applied] == ["a/new", "a/old"]


def test_where_the_state_was_lost_the_registry_says_the_first_id() -> None:
    found = followed("  a: {apps: {new: {renamed_from: [a/mid, a/old]}}}\n", held("a/other"))
    (app,) = found.selected
    assert (app.formerly, app.names.database) == (("a/mid", "a/old"), "tenant_a__old")
    # An app that its renamed tenant got since is new.
    found = followed("  b: {renamed_from: a, apps: {new: {}}}\n", held("a/other"))
    (app,) = found.selected
    assert (app.formerly, app.names.database, found.aliases) == ((), "tenant_b__new", {})
    # One that was made here under its id of now has no other names.
    found = followed("  a: {apps: {new: {renamed_from: a/old}}}\n", held("a/new"))
    assert (found.selected[0].formerly, found.aliases, found.settled) == ((), {}, ())


def test_what_was_cut_off_is_found_in_both_directions() -> None:
    # The component has its new name already, and its outputs are those of before.
    half = held("a/old", partly="a/new")
    on = followed("  a: {apps: {new: {renamed_from: a/old}}}\n", half)
    assert on.aliases == {"a/new": ("a/old",)}
    back = followed("  a: {apps: {old: {}}}\n", half)
    assert (back.aliases, back.selected[0].formerly) == ({"a/old": ("a/new",)}, ())
    further = followed("  a: {apps: {newer: {renamed_from: [a/new, a/old]}}}\n", half)
    assert further.aliases == {"a/newer": ("a/old", "a/new")}


def test_two_apps_that_are_said_to_be_one_stop_the_run() -> None:
    with pytest.raises(TransitionError, match="the stack holds a/old and a/new, and a/new says"):
        followed("  a: {apps: {new: {renamed_from: a/old}}}\n", held("a/new"), held("a/old"))


def test_an_app_that_was_moved_to_another_stack_stays_moved_under_its_id_of_now() -> None:
    tenants = "  a: {apps: {new: {renamed_from: a/old}}}\n"
    assert followed(tenants, moved={"a/old": "a--old"}).moved == {"a/new": "a--new"}
    assert followed(tenants, moved={"a/old": "prod"}).moved == {"a/new": "prod"}
    # Its own stack on the way to its new name: not a move.
    assert followed(tenants, held("a/old"), moved={"a/old": "a--new"}).moved == {}
    # A move that was cut off is one still.
    assert followed(tenants, held("a/old"), moved={"a/old": "prod"}).moved == {"a/new": "prod"}


def test_the_state_tells_what_an_app_was_called_and_which_login_its_clients_have() -> None:
    outputs = {
        "app": "a/new",
        "formerly": ["a/old"],
        "deletion": "protect",
        "organization": "",
        "region": "azure-gwc",
        "postgresVersion": 17,
        "generation": 3,
        "branches": [],
    }
    stack = {"apps": {"a/old": {"generation": 2, "keyGenerations": {}}}}
    (app,) = applied_apps(
        [
            {
                "urn": "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s",
                "type": "pulumi:pulumi:Stack",
                "outputs": stack,
            },
            {
                "urn": "urn:pulumi:s::p::tenantry:app:TenantApp::a/newer",
                "type": "tenantry:app:TenantApp",
                "outputs": outputs,
            },
        ]
    )
    # The stack's outputs are written last: what they say under the id of before still counts.
    assert (app.formerly, app.partly, app.generation) == (("a/old",), "a/newer", 2)
