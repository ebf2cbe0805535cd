import pytest

from tenantry.registry import Registry, SelectionError, parse, select
from tenantry.registry.selection import select_for

REGISTRY = parse(
    b"""
version: 1
defaults: {environment: staging, region: us-east-1}
tenants:
  acme: {apps: {web: {}, api: {}}}
  globex: {apps: {search: {}}}
  idle: {apps: {}}
"""
)


def ids(*specs: str) -> list[str]:
    return [app.id for app in select(REGISTRY, specs)]


def test_all_is_everything_in_the_order_of_the_file() -> None:
    assert [app.id for app in select(REGISTRY, "all")] == ["acme/web", "acme/api", "globex/search"]
    assert ids("all") == ["acme/web", "acme/api", "globex/search"]


def test_all_of_an_empty_registry_is_nothing() -> None:
    assert select(parse(b"version: 1\ntenants: {}\n"), "all") == ()


def test_ids_and_tenants_keep_the_order_of_the_file_and_count_once() -> None:
    assert ids("globex/search", "acme/web", "acme") == ["acme/web", "acme/api", "globex/search"]


def test_a_text_may_hold_several_names() -> None:
    assert [app.id for app in select(REGISTRY, "acme/api, globex")] == ["acme/api", "globex/search"]


def test_a_tenant_without_apps_selects_nothing() -> None:
    assert ids("idle") == []


@pytest.mark.parametrize("spec", ["", [], [""]])
def test_an_empty_selection_is_refused(spec: str | list[str]) -> None:
    with pytest.raises(SelectionError, match="selects no app"):
        select(REGISTRY, spec)


def test_unknown_names_are_refused_all_at_once_with_suggestions() -> None:
    with pytest.raises(SelectionError) as refusal:
        select(REGISTRY, ["acme/wev", "acme", "zzz"])
    assert str(refusal.value) == 'not in the registry: "acme/wev" (did you mean "acme/web"?), "zzz"'


def test_an_app_is_found_by_its_id() -> None:
    registry: Registry = REGISTRY
    assert registry.app("acme/api").name == "api"
    with pytest.raises(LookupError) as refusal:
        registry.app("acme/apo")
    assert str(refusal.value) == 'no app "acme/apo" in the registry (did you mean "acme/api"?)'


@pytest.mark.parametrize(
    ("spec", "stack", "apps"),
    [
        ("all", "dev", ["acme/web", "acme/api", "globex/search"]),
        ("all", "acme--web", ["acme/web"]),
        ("acme", "acme--web", ["acme/web", "acme/api"]),
    ],
)
def test_a_stack_that_is_called_as_an_apps_own_holds_that_app(
    spec: str, stack: str, apps: list[str]
) -> None:
    assert [app.id for app in select_for(REGISTRY, spec, stack)] == apps


def test_a_stack_that_is_called_as_that_of_an_app_that_left_holds_no_other() -> None:
    with pytest.raises(SelectionError, match="the registry's file has no such app"):
        select_for(REGISTRY, "all", "acme--old")


def test_a_name_of_before_is_told_by_the_name_of_now() -> None:
    found = parse(
        b"version: 1\ndefaults: {environment: staging, region: gwc}\ntenants:\n"
        b"  b: {renamed_from: a, apps: {new: {renamed_from: b/old}}}\n"
    )
    with pytest.raises(SelectionError, match=r'"b/old" \(b/new now\), "a" \(b now\)'):
        select(found, "b/old, a")
