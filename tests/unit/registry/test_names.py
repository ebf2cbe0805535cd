import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tenantry.clouds.aura import USER_PATTERN
from tenantry.registry.names import (
    GRAPH_LENGTH,
    IDENTIFIER_LENGTH,
    KEY_PREFIX_LENGTH,
    LABEL,
    PROJECT_LENGTH,
    STACK_LENGTH,
    AppNames,
    is_user_stack,
)

ROOT = Path(__file__).parents[3]

word = st.text("ab1", min_size=1, max_size=31)
label = (
    st.lists(word, min_size=1, max_size=4)
    .map("-".join)
    .map(lambda text: f"a{text}"[:63].rstrip("-"))
    .filter(LABEL.fullmatch)
)
long_label = st.integers(50, 63).flatmap(
    lambda n: st.text("ab", min_size=n, max_size=n).map(lambda text: text)
)
apps = st.builds(AppNames, namespace=label, tenant=label | long_label, app=label | long_label)
pairs = st.tuples(apps, apps)


def derived(names: AppNames) -> dict[str, str]:
    """Every name that must tell one app from another within one namespace."""
    return {
        "id": names.id,
        "stack": names.stack,
        "project": names.project,
        "database": names.database,
        "owner": names.owner_role,
        "group": names.group_role,
        "login a": names.login_role(1),
        "login b": names.login_role(2),
        "graph": names.graph,
    }


LIMITS = {
    "id": 127,
    "stack": STACK_LENGTH,
    "project": PROJECT_LENGTH,
    "database": IDENTIFIER_LENGTH,
    "owner": IDENTIFIER_LENGTH,
    "group": IDENTIFIER_LENGTH,
    "login a": IDENTIFIER_LENGTH,
    "login b": IDENTIFIER_LENGTH,
    "graph": GRAPH_LENGTH,
}


@given(pairs)
@example((AppNames("n", "a", "b-c"), AppNames("n", "a-b", "c")))
@example((AppNames("n", "a" * 63, "b" * 62 + "c"), AppNames("n", "a" * 63, "b" * 62 + "d")))
def test_two_apps_never_share_a_name(pair: tuple[AppNames, AppNames]) -> None:
    one, other = pair
    other = AppNames(one.namespace, other.tenant, other.app)
    assume(one.id != other.id)
    for kind, name in derived(one).items():
        assert name != derived(other)[kind], kind


@given(pairs)
def test_two_namespaces_never_share_a_name_in_a_cloud(pair: tuple[AppNames, AppNames]) -> None:
    one, other = pair
    other = AppNames(other.namespace, one.tenant, one.app)
    assume(one.namespace != other.namespace)
    assert one.project != other.project
    assert one.graph != other.graph


@given(apps)
def test_the_roles_of_an_app_are_different_roles(names: AppNames) -> None:
    roles = {names.owner_role, names.group_role, names.login_role(1), names.login_role(2)}
    assert len(roles) == 4


@given(apps)
@example(AppNames("n" * 63, "t" * 63, "a" * 63))
def test_every_name_fits_its_service(names: AppNames) -> None:
    for kind, name in derived(names).items():
        assert 0 < len(name) <= LIMITS[kind], kind
        assert name.isascii()
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", names.stack)
    for identifier in (names.database, names.owner_role, names.group_role, names.login_role(7)):
        assert re.fullmatch(r"tenant_[a-z0-9_]+", identifier)


@given(apps, label | long_label, label | long_label)
def test_api_key_prefixes_tell_keys_apart(names: AppNames, one: str, other: str) -> None:
    assume(one != other)
    assert names.api_key_prefix(one) != names.api_key_prefix(other)
    assert len(names.api_key_prefix(one)) <= KEY_PREFIX_LENGTH


def test_a_cut_name_is_no_uncut_name() -> None:
    cut = AppNames("n", "a" * 63, "b" * 63)
    assert "." in cut.stack
    assert "___" in cut.database
    assert not any(LABEL.fullmatch(part) for part in cut.stack.split("--")[1:])


def test_names_that_are_in_the_clouds_already_stay_as_they_are() -> None:
    short = AppNames("tenantry", "acme", "web-api")
    assert derived(short) == {
        "id": "acme/web-api",
        "stack": "acme--web-api",
        "project": "tenantry--acme--web-api",
        "database": "tenant_acme__web_api",
        "owner": "tenant_acme__web_api__owner",
        "group": "tenant_acme__web_api__rw",
        "login a": "tenant_acme__web_api__login_a",
        "login b": "tenant_acme__web_api__login_b",
        "graph": "tenantry--acme--web-api",
    }
    assert short.schema == "app"
    assert short.api_key_prefix("default") == "acme--default"
    long = AppNames(
        "tenantry", "the-northern-trading-company-of-1849", "customer-relations-and-support"
    )
    assert derived(long) == {
        "id": "the-northern-trading-company-of-1849/customer-relations-and-support",
        "stack": "the-northern-trading-company-of-1849--customer-relations-and-support",
        "project": "tenantry--the-northern-trading-company-of-1849--customer-relations-and-support",
        "database": "tenant_the_northern_trading_company_of_1849__cu___6rf4nt7nljqrf",
        "owner": "tenant_the_northern_trading_company_of_1___6rf4nt7nljqrf__owner",
        "group": "tenant_the_northern_trading_company_of_1849___6rf4nt7nljqrf__rw",
        "login a": "tenant_the_northern_trading_company_of___6rf4nt7nljqrf__login_a",
        "login b": "tenant_the_northern_trading_company_of___6rf4nt7nljqrf__login_b",
        "graph": "tenantry--the-no.2qyp6sxy5uzzs",
    }


def test_a_tenant_named_pg_gets_no_reserved_role() -> None:
    assert not AppNames("n", "pg", "web").owner_role.startswith("pg_")


def test_generations_take_turns() -> None:
    names = AppNames("n", "a", "b")
    assert names.login_role(1) == names.login_role(3) != names.login_role(2) == names.login_role(4)


def test_there_is_no_generation_before_the_first() -> None:
    with pytest.raises(ValueError, match="generation 0 does not exist: the first is 1"):
        AppNames("n", "a", "b").login_role(0)


@pytest.mark.parametrize("name", ["a", "a1", "a-b", "a" * 63, "x9-9x"])
def test_labels(name: str) -> None:
    assert LABEL.fullmatch(name)


@pytest.mark.parametrize(
    "name",
    ["", "1a", "-a", "a-", "a--b", "A", "a_b", "a.b", "a" * 64, "ä", "a\n", "\u0430", "a b", 'a"b'],
)
def test_what_is_no_label(name: str) -> None:
    assert not LABEL.fullmatch(name)


def test_the_documented_table_is_what_the_functions_give() -> None:
    document = (ROOT / "docs" / "registry.md").read_text("utf-8")
    names = AppNames("tenantry", "acme", "web")
    rows = re.findall(r"^\| ([^|]+?) +\| `([^`|]+)` +\| `([^`|]+)` +\|", document, re.MULTILINE)
    examples = {kind: shown for kind, _, shown in rows if kind in TABLE}
    assert examples == {kind: name(names) for kind, name in TABLE.items()}


TABLE = {
    "app id": lambda n: n.id,
    "Pulumi stack": lambda n: n.stack,
    "Neon project": lambda n: n.project,
    "database": lambda n: n.database,
    "schema": lambda n: n.schema,
    "owner role": lambda n: n.owner_role,
    "group role": lambda n: n.group_role,
    "login, odd generation": lambda n: n.login_role(1),
    "login, even generation": lambda n: n.login_role(2),
    "API key prefix": lambda n: n.api_key_prefix("default"),
    "Aura instance": lambda n: n.graph,
}


users = st.one_of(
    label | long_label, st.from_regex(re.compile(USER_PATTERN, re.ASCII), fullmatch=True)
)


@given(pairs, users, users)
@example((AppNames("n", "a", "b"), AppNames("n", "a", "b")), "c--d", "c-d")
@example((AppNames("n", "a", "b"), AppNames("n", "a", "b")), "Alice", "alice")
def test_two_users_never_share_a_graph_nor_one_with_an_app(
    pair: tuple[AppNames, AppNames], one: str, other: str
) -> None:
    first, second = pair
    mine, another = first.user_graph(one), second.user_graph(other)
    assert 0 < len(mine) <= GRAPH_LENGTH
    assert re.fullmatch(r"[a-z0-9.-]+", mine)
    assert mine not in {first.graph, second.graph}
    if (first, one) != (second, other):
        assert mine != another


def test_a_users_graph_is_called_what_it_was_called() -> None:
    short = AppNames("tenantry", "acme", "web")
    assert short.user_graph("alice") == "tenantry--acme--web--alice"
    assert short.user_graph("alice@x.example") == "tenantry--acme.nimifefwqcej7"
    assert short.user_graph("a-name-that-is-long") == "tenantry--acme.sapirnngtsy4l"


@given(pairs, users, users)
@example((AppNames("n", "a", "b"), AppNames("n", "a", "b")), "c--d", "c-d")
def test_two_users_never_share_a_stack_nor_one_with_an_app(
    pair: tuple[AppNames, AppNames], one: str, other: str
) -> None:
    first, second = pair
    mine, another = first.user_stack(one), second.user_stack(other)
    assert 0 < len(mine) <= STACK_LENGTH
    assert re.fullmatch(r"[a-z0-9.-]+", mine)
    assert is_user_stack(mine)
    assert not is_user_stack(first.stack)
    assert mine.startswith(first.user_stacks)
    if first.id != second.id:
        assert not mine.startswith(second.user_stacks)
    if (first.id, one) != (second.id, other):
        assert mine != another


def test_a_users_stack_is_called_what_it_was_called_also_after_a_renaming() -> None:
    assert AppNames("tenantry", "acme", "web").user_stack("alice") == "acme--web--i6mf7msbq66pl"
    renamed = AppNames("tenantry", "acme", "site", first="acme/web")
    assert renamed.user_stack("alice") == "acme--web--i6mf7msbq66pl"
