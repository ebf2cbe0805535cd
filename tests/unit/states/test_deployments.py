import json
from typing import Any

import pytest

from tenantry.states.apps import apps_in, between, moved_out
from tenantry.states.deployments import (
    check_whole,
    joined,
    marked,
    part,
    sizes,
    without,
)
from tenantry.states.errors import StatesError
from tests.unit.states.samples import state_of, urn


def content(state: dict[str, Any]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in state["resources"])


def test_parts_put_together_again_are_the_whole() -> None:
    whole = state_of("prod", "acme/web", "acme/lab", "globex/api")
    parts = {
        app.replace("/", "--"): part(whole, app, "prod", app.replace("/", "--"))
        for app in apps_in(whole)
    }
    left = without(whole, apps_in(whole))
    assert apps_in(left) == []
    again = joined(left, "prod", parts)
    assert content(again) == content(whole)
    assert again["secrets_providers"] == whole["secrets_providers"]
    # Each comes after what it refers to.
    check_whole(again, "prod")


def test_a_part_has_its_app_and_what_that_uses_under_the_new_name_alone() -> None:
    whole = state_of("prod", "acme/web", "acme/lab")
    cut = part(whole, "acme/web", "prod", "acme--web")
    text = json.dumps(cut)
    assert "urn:pulumi:prod::" not in text
    assert "acme/lab" not in text
    names = [each["urn"].split("::", 2)[2] for each in cut["resources"]]
    assert names[0] == "pulumi:pulumi:Stack::t-acme--web"
    # A default provider that only another app uses would be deleted by the next run.
    assert "pulumi:providers:random::default_of_acme/lab" not in names
    assert {"pulumi:providers:neon::neon", "dynamic:Catalog::catalog"} <= set(names)
    assert len(cut["resources"]) == 3 + sizes(whole)["acme/web"] + 1
    assert cut["resources"][0]["outputs"] == {
        "apps": {"acme/web": {"generation": 1}},
        "graphs": {"acme/web/alice": {"uri": "x"}},
        "other": 1,
    }


def test_ciphertexts_are_taken_as_they_are() -> None:
    whole = state_of("prod", "acme/web")
    cut = part(whole, "acme/web", "prod", "acme--web")
    secrets = [each["inputs"]["password"] for each in cut["resources"] if each.get("inputs")]
    assert secrets == [
        {
            "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
            "ciphertext": "v1:acme/web",
        }
    ]


def test_what_another_app_uses_is_not_cut_off() -> None:
    whole = state_of("prod", "acme/web", "acme/lab")
    whole["resources"][-1]["dependencies"] = [urn("prod", "a:b:Project", "acme/web")]
    with pytest.raises(StatesError, match="refers to urn:pulumi:prod::t::a:b:Project::acme/web"):
        without(whole, ["acme/web"])
    with pytest.raises(StatesError, match="nothing was changed"):
        part(whole, "acme/lab", "prod", "acme--lab")


def test_a_provider_that_both_have_is_the_one_of_the_stack_that_is_joined() -> None:
    one, two = state_of("prod", "acme/web"), state_of("acme--lab", "acme/lab", ids="other")
    both = joined(one, "prod", {"acme--lab": two})
    used = {
        each["provider"] for each in both["resources"] if each.get("provider", "").endswith("-neon")
    }
    assert used == {f"{urn('prod', 'pulumi:providers:neon', 'neon')}::id-neon"}
    assert [
        each["id"] for each in both["resources"] if each["type"] == "pulumi:providers:neon"
    ] == ["id-neon"]
    assert both["resources"][0]["outputs"]["apps"] == {
        "acme/lab": {"generation": 1},
        "acme/web": {"generation": 1},
    }


def test_an_app_that_is_there_already_is_not_joined_once_more() -> None:
    one, two = state_of("prod", "acme/web"), state_of("acme--web", "acme/web")
    with pytest.raises(StatesError, match="is there already"):
        joined(one, "prod", {"acme--web": two})


def test_a_stack_that_holds_nothing_gets_what_comes_and_its_key() -> None:
    two = state_of("acme--lab", "acme/lab")
    both = joined(None, "prod", {"acme--lab": two})
    assert apps_in(both) == ["acme/lab"]
    assert both["secrets_providers"] == two["secrets_providers"]
    assert both["resources"][0]["urn"] == urn("prod", "pulumi:pulumi:Stack", "t-prod")


def test_marks_say_what_was_moved_and_what_is_on_its_way() -> None:
    whole = state_of("prod", "acme/web", "acme/lab")
    assert (moved_out(whole), between(whole)) == ({}, {})
    gone = marked(without(whole, ["acme/web"]), {"acme/web": "acme--web"})
    assert moved_out(gone) == {"acme/web": "acme--web"}
    assert between(gone) == {}
    begun = marked(whole, {"acme/web": "acme--web"})
    assert between(begun) == {"acme/web": "acme--web"}
    assert content(marked(begun, {})) == content(whole)
    # No part takes a mark with it.
    assert moved_out(part(begun, "acme/web", "prod", "acme--web")) == {}
    with pytest.raises(StatesError, match="no resource of the stack itself"):
        marked({"resources": []}, {"acme/web": "acme--web"})


def test_an_output_that_cannot_be_taken_apart_is_refused() -> None:
    whole = state_of("prod", "acme/web", "acme/lab")
    whole["resources"][0]["outputs"]["urls"] = {
        "4dabf18193072939515e22adb298388d": "1b",
        "ciphertext": "x",
    }
    with pytest.raises(StatesError, match="output urls is not by app"):
        part(whole, "acme/web", "prod", "acme--web")
