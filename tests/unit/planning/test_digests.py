import os
import re
from pathlib import Path
from typing import Any

import pytest

from tenantry.planning.digests import (
    program_digest,
    registry_digests,
    state_digests,
)
from tests.unit.planning.support import (
    CATALOG,
    PROJECT,
    ROLE,
    SECRET,
    Event,
    app,
    application,
    run_of,
    step,
)

WEB = app()
BASE: dict[str, Any] = {"name": "x", "roles": ["a", "b"], "password": SECRET}


def state(inputs: dict[str, Any] = BASE, **flags: Any) -> dict[str, str]:
    return state_digests(run_of(*held(inputs, **flags)))


def held(inputs: dict[str, Any], **flags: Any) -> list[list[Event]]:
    return [
        application(WEB, WEB, step("same", ROLE, "acme/web/a", old=inputs, new={}, **flags)),
        application(app("b/b"), app("b/b"), step("same", PROJECT, "b/b", old={}, new={})),
        step("same", CATALOG, "catalog", old={"revision": "1"}, new={}),
    ]


def test_each_app_and_the_stacks_own_have_a_digest() -> None:
    assert state().keys() == {"acme/web", "b/b", ""}


@pytest.mark.parametrize(
    "same",
    [
        BASE | {"roles": ["b", "a"]},
        BASE | {"__defaults": ["x"], "objects": [], "comment": "", "limit": None},
    ],
    ids=["order", "what a refresh fills in"],
)
def test_what_changes_nothing_moves_no_digest(same: dict[str, Any]) -> None:
    assert state(same) == state()


def test_outputs_that_a_cloud_tells_move_no_digest() -> None:
    told = held(BASE, old_outputs={"updatedAt": "later"})
    assert state_digests(run_of(*told)) == state()


@pytest.mark.parametrize(
    ("inputs", "flags"),
    [
        (BASE | {"name": "y"}, {}),
        (BASE | {"limit": 1}, {}),
        (BASE, {"id": "another"}),
        (BASE, {"protect": True}),
        (BASE, {"retainOnDelete": True}),
    ],
)
def test_a_change_moves_the_digest_of_its_app_alone(
    inputs: dict[str, Any], flags: dict[str, Any]
) -> None:
    before, after = state(), state(inputs, **flags)
    assert {name for name in before if before[name] != after[name]} == {"acme/web"}


def test_what_the_component_says_of_the_app_is_in_the_state() -> None:
    other = app(deletion="protect")
    assert state_digests(run_of(application(WEB, WEB))) != state_digests(
        run_of(application(other, WEB))
    )


def test_the_registry_counts_by_app() -> None:
    events = [
        application(WEB, app(contact="x")),
        application(None, app("b/b")),
        application(app("c/c"), None),
    ]
    found = registry_digests(run_of(*events))
    assert found.keys() == {"acme/web", "b/b"}
    assert found["b/b"] == registry_digests(run_of(application(None, app("b/b"))))["b/b"]
    assert found["acme/web"] != registry_digests(run_of(application(None, WEB)))["acme/web"]


def test_the_program_is_its_content_and_not_its_place(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__main__.py").write_text("import components\n")
        (folder / "Pulumi.yaml").write_text("name: tenantry\n")
        os.utime(folder / "Pulumi.yaml", (0, 0))
        digests.add(program_digest(folder))
    assert len(digests) == 1
    assert re.fullmatch(r"[0-9a-f]{64}", digests.pop())
    before = program_digest(tmp_path / "one")
    (tmp_path / "one" / "__main__.py").write_text("import components  # changed\n")
    assert program_digest(tmp_path / "one") != before
