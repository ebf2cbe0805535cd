from collections import Counter

import pytest

from tenantry.fleet.selection import Selection, Shard
from tenantry.registry import Registry, SelectionError, parse

TEXT = """\
version: 1
defaults: {region: aws-us-east-2, environment: development}
tenants:
  acme:
    apps: {web: {environment: production}, lab: {}}
  globex:
    apps: {web: {}}
"""


@pytest.fixture
def registry() -> Registry:
    return parse(TEXT.encode())


def chosen(selection: Selection, registry: Registry) -> list[str]:
    return [app.id for app in selection.apps(registry.apps)]


@pytest.mark.parametrize(
    ("selection", "apps"),
    [
        (Selection(), ["acme/web", "acme/lab", "globex/web"]),
        (Selection(only=frozenset({"acme/lab"})), ["acme/lab"]),
        (Selection(tenants=frozenset({"acme"})), ["acme/web", "acme/lab"]),
        (Selection(environments=frozenset({"production"})), ["acme/web"]),
        (Selection(changed=frozenset({"globex/web"})), ["globex/web"]),
        (Selection(changed=frozenset()), []),
        (
            Selection(tenants=frozenset({"acme"}), environments=frozenset({"development"})),
            ["acme/lab"],
        ),
    ],
)
def test_every_condition_must_hold(
    selection: Selection, apps: list[str], registry: Registry
) -> None:
    assert chosen(selection, registry) == apps


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (
            Selection(only=frozenset({"acme/wob"})),
            'no such app: "acme/wob" (did you mean "acme/web"?)',
        ),
        (Selection(tenants=frozenset({"acne"})), 'no such tenant: "acne" (did you mean "acme"?)'),
        (Selection(environments=frozenset({"prod"})), "no such environment"),
    ],
)
def test_what_is_not_there_is_refused(selection: Selection, said: str, registry: Registry) -> None:
    with pytest.raises(SelectionError) as refused:
        selection.check(registry, ())
    assert said in str(refused.value)


def test_an_app_that_left_can_be_named(registry: Registry) -> None:
    selection = Selection(only=frozenset({"acme/old"}))
    selection.check(registry, ["acme/old"])
    assert list(selection.left(["acme/old", "acme/older"])) == ["acme/old"]


def test_of_which_environment_an_app_was_that_left_is_not_known() -> None:
    selection = Selection(environments=frozenset({"production"}))
    assert list(selection.left(["acme/old"])) == []


def test_each_app_is_in_one_shard_and_stays_there() -> None:
    apps = [f"tenant-{number}/app" for number in range(2000)]
    shards = [Shard(number, 4) for number in (1, 2, 3, 4)]
    where = {app: [shard.number for shard in shards if shard.holds(app)] for app in apps}
    assert all(len(found) == 1 for found in where.values())
    sizes = Counter(found[0] for found in where.values())
    assert min(sizes.values()) > 400
    # What one run leaves out another must take, on another machine and in another version.
    assert Shard(3, 4).holds("acme/web")


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", ""])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SelectionError, match="is no shard"):
        Shard.of(text)
