"""A stack gets another name, and a death in between is gone on from."""

from pathlib import Path
from typing import Any

import pytest

from tenantry.fleet.renaming import in_the_way, rename_stack, renamed_stacks
from tenantry.states.apps import moved_out, resources_of
from tenantry.states.store import Kept, Store
from tests.unit.fleet.support import Backend

STACK = "urn:pulumi:acme--web::t::pulumi:pulumi:Stack::t-acme--web"
APP = "urn:pulumi:acme--web::t::tenantry:app:TenantApp::acme/web"


class DiedError(Exception):
    """Stands for a SIGKILL."""


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    made = Backend(tmp_path)
    made.registry({"web": ""})
    made.applied("web")
    resources: list[dict[str, Any]] = list(
        map(dict, resources_of(made.fleet().project.store.state("acme--web")))
    )
    resources[0] |= {"urn": APP, "parent": STACK}
    stack = {"type": "pulumi:pulumi:Stack", "urn": STACK, "outputs": {"apps": {"acme/web": {}}}}
    made.state("acme--web", [stack, *resources])
    made.registry({"site": "renamed_from: acme/web"})
    return made


def found(backend: Backend) -> dict[str, str]:
    project = backend.fleet().project
    return renamed_stacks(project.store, project.desired().registry, project.store.stacks())


def dying(store: Store, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [after]

    def counted(action: Any) -> Any:
        def act(*given: Any) -> None:
            action(*given)
            left[0] -= 1
            if not left[0]:
                raise DiedError

        return act

    monkeypatch.setattr(store, "write", counted(store.write))
    monkeypatch.setattr(store, "remove", counted(store.remove))


@pytest.mark.parametrize("after", [1, 2, 3])
def test_it_goes_on_from_wherever_it_died(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    store = backend.fleet().project.store
    with monkeypatch.context() as patched:
        dying(store, after, patched)
        with pytest.raises(DiedError):
            rename_stack(store, "acme--web", "acme--site")
    assert "acme--web" in store.stacks() or after == 3
    if after < 3:
        assert found(backend) == {"acme/site": "acme--web"}
        assert in_the_way(store, "acme--web", "acme--site", store.stacks()) == ""
        # Who still has the registry of before must not work on it.
        assert moved_out(store.state("acme--web")) == {"acme/web": "acme--site"}
        backend.look().check()
        backend.registry({"web": "services: [auth]"})
        (line,) = backend.look().refused
        assert "renaming stack acme--web of acme/web to acme--site was cut off" in line
    rename_stack(store, "acme--web", "acme--site")
    assert store.stacks() == {"acme--site"}
    state = store.state("acme--site")
    assert [each["urn"] for each in resources_of(state)] == [
        "urn:pulumi:acme--site::t::pulumi:pulumi:Stack::t-acme--site",
        "urn:pulumi:acme--site::t::tenantry:app:TenantApp::acme/web",
    ]
    assert moved_out(state) == {}


def test_what_is_not_the_apps_is_not_taken(backend: Backend) -> None:
    backend.applied("web", namespace="another")
    assert found(backend) == {}
    backend.state("acme--web", [])
    assert found(backend) == {}


def test_a_new_stack_that_holds_nothing_is_not_in_the_way(backend: Backend) -> None:
    backend.state("acme--site", [])
    store = backend.fleet().project.store
    assert in_the_way(store, "acme--web", "acme--site", store.stacks()) == ""
    rename_stack(store, "acme--web", "acme--site")
    assert len(resources_of(store.state("acme--site"))) == 2
    # A second one finds it done.
    rename_stack(store, "acme--web", "acme--site")
    assert isinstance(store.read("acme--site"), Kept)
