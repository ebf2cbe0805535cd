from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tenantry.registry import App, load
from tenantry.registry.applied import AppliedApp
from tenantry.registry.declared import declared
from tenantry.registry.models import Deletion, Limits
from tenantry.registry.transition import (
    Registered,
    TransitionError,
    check_transition,
    judge_transition,
)

FILE = Path("tenants.yaml")
REGISTRY = """\
version: 1
tenants:
  acme:
    name: Acme Inc.
    apps:
      web: {environment: production, region: aws-eu-central-1, deletion: delete}
"""


@pytest.fixture
def web(tmp_path: Path) -> App:
    file = tmp_path / "tenants.yaml"
    file.write_text(REGISTRY)
    return load(file).app("acme/web")


def held(
    app: str,
    deletion: Deletion,
    *,
    region: str = "aws-eu-central-1",
    version: int = 17,
    generation: int = 1,
    branches: frozenset[str] = frozenset(),
    organization: str = "",
    api_keys: Mapping[str, int] | None = None,
) -> AppliedApp:
    return AppliedApp(
        app, deletion, organization, region, version, generation, branches, api_keys or {}
    )


def test_an_app_that_stays_is_no_removal(web: App) -> None:
    assert check_transition([held("acme/web", "protect")], [web], FILE) == []


def test_every_protected_app_that_leaves_is_named_with_both_ways_out(web: App) -> None:
    applied = [held(f"acme/{name}", "protect") for name in ("web", "a", "b")]
    with pytest.raises(TransitionError) as refused:
        check_transition(applied, [web], FILE)
    lines = str(refused.value).splitlines()
    assert [line.split(" is gone")[0] for line in lines] == [
        "tenants.yaml: acme/a",
        "tenants.yaml: acme/b",
    ]
    assert all("put it back" in line and "deletion: delete" in line for line in lines)


@pytest.mark.parametrize(
    ("deletion", "said"), [("retain", "stays in the cloud"), ("delete", "are destroyed")]
)
def test_another_deletion_lets_it_go_and_says_what_happens(
    web: App, deletion: Deletion, said: str
) -> None:
    applied = [held("acme/old", deletion), held("acme/web", "protect")]
    (line,) = check_transition(applied, [web], FILE)
    assert line.startswith("acme/old leaves")
    assert said in line


def test_a_retained_app_leaves_without_its_api_keys_and_says_so(web: App) -> None:
    applied = [held("acme/old", "retain", api_keys={"default": 2}), held("acme/web", "protect")]
    (line,) = check_transition(applied, [web], FILE)
    assert line.endswith("its API keys are revoked")


def test_one_protected_app_holds_back_the_others() -> None:
    applied = [held("acme/a", "delete"), held("acme/b", "protect")]
    with pytest.raises(TransitionError):
        check_transition(applied, [], FILE)


@pytest.mark.parametrize(
    ("region", "version", "said"),
    [
        ("aws-us-east-2", 17, "region from aws-us-east-2 to aws-eu-central-1"),
        ("aws-eu-central-1", 16, "PostgreSQL from 16 to 17"),
        (
            "aws-us-east-2",
            18,
            "region from aws-us-east-2 to aws-eu-central-1 and PostgreSQL from 18 to 17",
        ),
    ],
)
def test_a_replacement_is_said_in_words_once_it_was_released(
    web: App, region: str, version: int, said: str
) -> None:
    (line,) = check_transition(
        [held("acme/web", "delete", region=region, version=version)], [web], FILE
    )
    assert line.startswith(f"acme/web: {said}, which Neon cannot change: its project and all data")


@pytest.mark.parametrize("deletion", ["protect", "retain"])
def test_a_replacement_is_refused_where_it_was_not_released(web: App, deletion: Deletion) -> None:
    with pytest.raises(TransitionError) as refused:
        check_transition([held("acme/web", deletion, version=16)], [web], FILE)
    assert str(refused.value).startswith("tenants.yaml: acme/web: PostgreSQL from 16 to 17")
    assert f"'deletion: {deletion}'" in str(refused.value)
    assert "set 'deletion: delete', apply, then change it" in str(refused.value)


def test_a_branch_of_a_protected_app_does_not_leave_by_accident(web: App) -> None:
    with pytest.raises(TransitionError) as refused:
        check_transition([held("acme/web", "protect", branches=frozenset({"qa"}))], [web], FILE)
    assert str(refused.value).startswith("tenants.yaml: acme/web: branch qa is gone")


@pytest.mark.parametrize("deletion", ["protect", "delete"])
def test_a_branch_whose_last_day_is_over_was_not_there_any_more(
    tmp_path: Path, deletion: Deletion
) -> None:
    def declaring(branches: str) -> App:
        file = tmp_path / "tenants.yaml"
        more = f"deletion: {deletion}, database: {{branches: {branches}}}"
        file.write_text(REGISTRY.replace("deletion: delete", more))
        return load(file).app("acme/web")

    over = "{expires: 2020-01-01}"
    outputs = {
        "app": "acme/web",
        "deletion": deletion,
        "organization": "",
        "region": "aws-eu-central-1",
        "postgresVersion": 17,
        "generation": 1,
        "branches": ["qa", "old"],
        "declared": declared(declaring(f"{{qa: {{expires: 2099-01-01}}, old: {over}}}")),
    }
    applied = AppliedApp.of(outputs)
    assert applied.branches == {"qa"}
    assert check_transition([applied], [declaring("{qa: {}}")], FILE) == []
    # A day that is over already takes away a branch that is there.
    ended = declaring(f"{{qa: {over}}}")
    if deletion == "delete":
        (line,) = check_transition([applied], [ended], FILE)
        assert line == "acme/web: branch qa leaves: it is destroyed with its data"
    else:
        with pytest.raises(TransitionError, match="acme/web: branch qa is gone"):
            check_transition([applied], [ended], FILE)


def test_a_branch_that_was_released_leaves_and_is_told(web: App) -> None:
    (line,) = check_transition(
        [held("acme/web", "delete", branches=frozenset({"qa"}))], [web], FILE
    )
    assert line == "acme/web: branch qa leaves: it is destroyed with its data"


@pytest.mark.parametrize("applied", [2, 3, 7])
def test_a_generation_that_goes_down_is_refused(web: App, applied: int) -> None:
    with pytest.raises(TransitionError) as refused:
        check_transition([held("acme/web", "delete", generation=applied)], [web], FILE)
    assert f"credentials.generation goes from {applied} to 1" in str(refused.value)
    assert f"Write {applied + 1} to rotate, or {applied} to leave it" in str(refused.value)


@pytest.mark.parametrize(("generation", "refused"), [(1, False), (2, False), (3, True)])
def test_a_generation_goes_up_by_one(tmp_path: Path, generation: int, refused: bool) -> None:
    file = tmp_path / "tenants.yaml"
    rotated = f"deletion: delete, database: {{credentials: {{generation: {generation}}}}}"
    file.write_text(REGISTRY.replace("deletion: delete", rotated))
    applied, wanted = [held("acme/web", "delete")], [load(file).app("acme/web")]
    if refused:
        with pytest.raises(TransitionError, match="goes from 1 to 3"):
            check_transition(applied, wanted, FILE)
    else:
        assert check_transition(applied, wanted, FILE) == []


def test_logical_replication_cannot_be_turned_off(tmp_path: Path, web: App) -> None:
    on = replace(held("acme/web", "protect"), logical_replication=True)
    with pytest.raises(TransitionError) as refused:
        check_transition([on], [web], FILE)
    assert str(refused.value) == (
        "tenants.yaml: acme/web: logical replication is on, and Neon cannot turn it off again: nothing was changed. Write "
        "database.logical_replication: true"
    )
    file = tmp_path / "on.yaml"
    more = "deletion: delete, database: {logical_replication: true}"
    file.write_text(REGISTRY.replace("deletion: delete", more))
    assert check_transition([on], [load(file).app("acme/web")], FILE) == []
    # A new project begins without it.
    moved = replace(on, deletion="delete", region="aws-us-east-2")
    assert len(check_transition([moved], [web], FILE, allowed={"acme/web"})) == 1


def with_key(folder: Path, key: str, generation: int) -> App:
    file = folder / "tenants.yaml"
    key = f"deletion: delete, api_keys: [{{name: {key}, generation: {generation}}}]"
    file.write_text(REGISTRY.replace("deletion: delete", key))
    return load(file).app("acme/web")


@pytest.mark.parametrize("generation", [2, 3])
def test_a_key_stays_or_goes_up_by_one_generation(tmp_path: Path, generation: int) -> None:
    wanted = with_key(tmp_path, "default", generation)
    applied = held("acme/web", "delete", api_keys={"default": 2})
    assert check_transition([applied], [wanted], FILE) == []


@pytest.mark.parametrize("generation", [1, 4, 9])
@pytest.mark.parametrize("version", [17, 16], ids=["the project stays", "the project is replaced"])
def test_any_other_step_of_a_key_is_refused(tmp_path: Path, generation: int, version: int) -> None:
    wanted = with_key(tmp_path, "default", generation)
    applied = held("acme/web", "delete", version=version, api_keys={"default": 2})
    with pytest.raises(TransitionError) as refused:
        check_transition([applied], [wanted], FILE)
    assert str(refused.value) == (
        f"tenants.yaml: acme/web: generation of API key default goes from 2 to {generation}, which would cut off the "
        "clients that hold generation 2: nothing was changed. Write 3 to rotate, or 2 to leave it"
    )


def test_a_key_that_leaves_is_told(tmp_path: Path) -> None:
    wanted = with_key(tmp_path, "other", 5)
    applied = held("acme/web", "delete", api_keys={"reports": 3, "default": 1})
    assert check_transition([applied], [wanted], FILE) == [
        "acme/web: API key default leaves: all its generations are revoked",
        "acme/web: API key reports leaves: all its generations are revoked",
    ]


def test_a_key_of_a_protected_app_leaves_once_it_was_revoked_or_by_name(web: App) -> None:
    applied = held("acme/web", "protect", api_keys={"default": 1, "old": 2})
    revoked = replace(applied, revoked_keys=frozenset({"old"}))
    with pytest.raises(TransitionError) as refused:
        check_transition([revoked], [web], FILE)
    assert str(refused.value).startswith(
        "tenants.yaml: acme/web: API key default is gone, which would cut off its clients"
    )
    assert "\n" not in str(refused.value)
    assert len(check_transition([revoked], [web], FILE, allowed={"acme/web"})) == 2
    both = replace(applied, revoked_keys=frozenset({"old", "default"}))
    assert len(check_transition([both], [web], FILE)) == 2


def test_parts_of_two_apps_go_only_by_name(web: App) -> None:
    applied = [
        held("acme/web", "delete", branches=frozenset({"qa"})),
        held("acme/old", "delete"),
    ]
    with pytest.raises(TransitionError, match="2 apps would leave, be replaced or lose branches"):
        check_transition(applied, [web], FILE)
    assert len(check_transition(applied, [web], FILE, allowed={"acme/web", "acme/old"})) == 2


@pytest.mark.parametrize("selects", [False, True], ids=["nothing", "only others"])
def test_the_last_app_that_a_stack_holds_leaves_only_by_name(web: App, selects: bool) -> None:
    applied = [held("acme/old", "delete")]
    selected = [web] if selects else []
    with pytest.raises(
        TransitionError,
        match=r"acme/old would leave, and nothing .* tenantry up --allow-destroy acme/old, or",
    ):
        check_transition(applied, selected, FILE)
    assert len(check_transition(applied, selected, FILE, allowed={"acme/old"})) == 1


def test_a_registry_may_let_no_app_go_that_is_not_named(web: App) -> None:
    applied = [held("acme/web", "delete"), held("acme/old", "delete")]
    usual, none = Registered([web]), Registered([web], Limits(removals=0))
    assert len(check_transition(applied, [web], FILE, registered=usual)) == 1
    with pytest.raises(TransitionError, match=r"acme/old would leave.* limits\.removals is 0%"):
        check_transition(applied, [web], FILE, registered=none)
    assert check_transition(applied[:1], [web], FILE, registered=none) == []
    named = check_transition(applied, [web], FILE, registered=none, allowed={"acme/old"})
    assert len(named) == 1


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_an_app_that_is_no_longer_selected_stays(web: App, deletion: Deletion) -> None:
    applied = [held("acme/web", deletion), held("acme/b", "delete")]
    with pytest.raises(TransitionError, match="acme/web is in the registry, and tenantry:apps"):
        check_transition(applied, [], FILE, registered=Registered([web]), allowed={"acme/b"})


def test_another_namespace_is_refused(web: App) -> None:
    applied = replace(held("acme/web", "delete"), namespace="other")
    with pytest.raises(TransitionError, match="was applied under the namespace other"):
        check_transition([applied], [web], FILE, allowed={"acme/web"})
    assert check_transition([replace(applied, namespace="tenantry")], [web], FILE) == []


def test_more_than_one_app_goes_only_by_name(web: App) -> None:
    applied = [
        held("acme/a", "delete"),
        held("acme/b", "retain"),
        held("acme/web", "delete", version=16),
    ]
    with pytest.raises(TransitionError) as refused:
        check_transition(applied, [web], FILE, allowed={"acme/a", "acme/b"})
    assert str(refused.value) == (
        "tenants.yaml: 3 apps would leave, be replaced or lose branches, graphs or keys in one run (acme/a,acme/b,acme/web): "
        "nothing was changed. If the file is complete and this is meant, allow it by name: "
        "tenantry up --allow-destroy acme/a --allow-destroy acme/b --allow-destroy acme/web, or "
        "pulumi config set tenantry:allowDestroy acme/a,acme/b,acme/web"
    )
    told = check_transition(applied, [web], FILE, allowed={"acme/a", "acme/b", "acme/web"})
    assert len(told) == 3


@pytest.mark.parametrize(("before", "now"), [("org-a", ""), ("org-a", "org-b"), ("", "org-b")])
def test_another_organization_is_refused_whatever_the_deletion(
    web: App, before: str, now: str
) -> None:
    applied = [held("acme/web", "delete", organization=before)]
    with pytest.raises(TransitionError, match="and this run works in"):
        check_transition(applied, [web], FILE, accounts={"neon": now})
    assert check_transition(applied, [web], FILE, accounts={"neon": before}) == []


GRAPHS = """\
version: 1
tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-eu-central-1
        deletion: delete
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB}
        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 2GB, users: [USERS]}
"""
PLACE = {
    "type": "professional-db",
    "cloud": "gcp",
    "region": "us-central1",
    "version": "5",
    "project": "p",
}


def with_graphs(folder: Path, users: str = "a", **change: str) -> App:
    file = folder / "tenants.yaml"
    text = GRAPHS.replace("USERS", users)
    for key, value in change.items():
        text = text.replace(f"{key}: {PLACE[key]}", f"{key}: {value}")
    file.write_text(text)
    return load(file).app("acme/web")


def held_graphs(deletion: Deletion, *users: str, project: str = "p") -> AppliedApp:
    places = {"acme/web": PLACE | {"project": project}}
    places |= {f"acme/web/{user}": PLACE | {"project": project} for user in users}
    return replace(held("acme/web", deletion), graphs=places)


def judge(old: AppliedApp, new: App, *allowed: str) -> list[str]:
    return check_transition([old], [new], FILE, accounts={"aura": "p"}, allowed=allowed)


def test_graphs_that_stay_or_come_are_nothing(tmp_path: Path) -> None:
    assert judge(held_graphs("protect", "a"), with_graphs(tmp_path, "a, b")) == []


def test_a_graph_that_leaves_follows_its_apps_deletion(tmp_path: Path) -> None:
    new = with_graphs(tmp_path, "a")
    with pytest.raises(
        TransitionError,
        match=r"^tenants.yaml: graph acme/web/b: is gone, and the app was applied last with 'deletion: protect'",
    ):
        judge(held_graphs("protect", "a", "b"), new)
    assert judge(held_graphs("delete", "a", "b"), new) == [
        "graph acme/web/b: leaves: the instance is destroyed with its data"
    ]
    (line,) = judge(held_graphs("retain", "a", "b"), new)
    assert "the instance stays in Aura" in line


def test_a_graph_that_aura_cannot_change_so_is_replaced_only_where_it_may_go(
    tmp_path: Path,
) -> None:
    new = with_graphs(tmp_path, "", region="europe-west1")
    for deletion in ("protect", "retain"):
        with pytest.raises(
            TransitionError,
            match=r"graph acme/web: region from us-central1 to europe-west1, which Aura cannot change, and",
        ):
            judge(held_graphs(deletion), new)
    (line,) = judge(held_graphs("delete"), new)
    assert "all data in it are destroyed, and an empty one is made" in line


def test_several_graphs_of_an_app_go_only_where_it_is_named(tmp_path: Path) -> None:
    new = with_graphs(tmp_path, "")
    with pytest.raises(
        TransitionError, match=r"2 graphs of acme/web would leave .*tenantry:allowDestroy acme/web"
    ):
        judge(held_graphs("delete", "a", "b"), new)
    assert len(judge(held_graphs("delete", "a", "b"), new, "acme/web")) == 2


def test_another_aura_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TransitionError,
        match="graph acme/web was made in Aura project other, and this run works in p",
    ):
        judge(held_graphs("delete", project="other"), with_graphs(tmp_path, ""))


def test_an_app_that_leaves_names_its_graphs() -> None:
    (line,) = check_transition([held_graphs("delete", "a")], [], FILE, allowed={"acme/web"})
    assert line.endswith("destroyed, and so are its graphs (acme/web, acme/web/a)")


NEW = """\
version: 1
defaults: {environment: production, region: aws-eu-central-1}
tenants:
"""


@pytest.mark.parametrize(
    ("tenants", "hint"),
    [
        ("  acme: {apps: {site: {}}}\n", "acme/web acme/site"),
        ("  acme: {apps: {}}\n  globex: {apps: {web: {}}}\n", "acme globex"),
        ("  acme: {apps: {old: {}}}\n  globex: {apps: {web: {}}}\n", "acme/web globex/web"),
        # Another shape, and two that may be meant.
        ("  acme: {apps: {site: {region: aws-us-east-2}}}\n", ""),
        ("  acme: {apps: {site: {api_keys: [{name: k}]}}}\n", ""),
        ("  acme: {apps: {site: {}, shop: {}}}\n", ""),
    ],
)
@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_an_app_that_leaves_while_one_like_it_arrives_may_be_a_rename(
    tmp_path: Path, tenants: str, hint: str, deletion: Deletion
) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(NEW + tenants)
    applied = [held("acme/web", deletion), held("acme/old", "delete")]
    apps = load(file).apps
    judged = judge_transition(applied, apps, registered=apps)
    (line,) = [line for line in [*judged.refused, *judged.told] if line.startswith("acme/web ")]
    said = f". Did you mean a rename? tenantry rename {hint} --write"
    assert line.endswith(said) if hint else "Did you mean" not in line


@pytest.mark.parametrize("deletion", ["protect", "retain", "delete"])
def test_a_renaming_that_is_taken_back_without_a_word_loses_nothing(
    web: App, deletion: Deletion
) -> None:
    renamed = replace(held("acme/site", deletion), formerly=("acme/mid", "acme/web"))
    with pytest.raises(TransitionError, match="tenantry rename acme/site acme/web --write"):
        check_transition([renamed, held("acme/old", "delete")], [web], FILE)
    # Once nothing of that name arrives it may go like any other.
    judged = judge_transition([renamed, held("acme/web", "delete")], [web])
    assert not any("what it was called before" in line for line in judged.refused)
