"""A registry that was cut off, or half merged, takes nothing from anybody who was not let go before."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.catalog.keys import live_generations
from tenantry.registry import App, RegistryError
from tenantry.registry.applied import AppliedApp
from tenantry.registry.graphs import graph_place
from tenantry.registry.loading import parse
from tenantry.registry.transition import Registered, TransitionError, check_transition

FILE = Path("tenants.yaml")
EXAMPLE = (Path(__file__).parents[3] / "tenants.yaml").read_bytes()
# More of each than an app of the example has, and lists by lines, which are whole wherever they end.
BLOCKS = b"""\
version: 1
defaults: {region: aws-us-east-2, environment: staging}
tenants:
  acme:
    apps:
      web:
        api_keys:
          - name: default
          - name: reports
            revoked: [1]
        database:
          branches:
            qa: {}
            staging: {}
      api:
        deletion: delete
        graphs_per_user:
          type: professional-db
          cloud: gcp
          region: us-central1
          memory: 1GB
          users:
            - ada
            - grace
        api_keys:
          - name: default
        database:
          branches:
            qa: {}
  globex:
    apps:
      search:
        deletion: retain
        api_keys:
          - name: ingest
      lab:
        database:
          branches:
            qa: {}
        deletion: delete
"""
# A stack of one protected app: whatever a cut takes, no other app is lost with it.
ALONE = b"""\
version: 1
tenants:
  acme:
    apps:
      web:
        region: aws-us-east-2
        environment: production
        database:
          branches:
            qa: {}
        graph: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB}
        api_keys:
          - name: default
          - name: reports
"""
WHOLE = {"the example": EXAMPLE, "lists by lines": BLOCKS, "one protected app": ALONE}


def applied(app: App) -> AppliedApp:
    """The app as a stack holds it that was converged."""
    return AppliedApp(
        id=app.id,
        deletion=app.deletion,
        account="",
        region=app.region,
        postgres_version=app.database.postgres_version,
        generation=app.database.credentials.generation,
        branches=frozenset(branch.name for branch in app.database.branches),
        api_keys={key.name: key.generation for key in app.api_keys},
        revoked_keys=frozenset(
            key.name
            for key in app.api_keys
            if not list(live_generations(key.generation, key.revoked))
        ),
        graphs={each.id: graph_place(each.graph, "p") for each in app.graphs},
        namespace=app.namespace,
    )


def parts(app: App) -> set[str]:
    """What an app has."""
    return {
        *(f"branch {branch.name}" for branch in app.database.branches),
        *(f"key {key.name}" for key in app.api_keys),
        *(f"graph {each.id}" for each in app.graphs),
    }


def revoked(app: App) -> set[str]:
    """The keys that may leave. One that a file calls revoked is revoked: that is an order, whatever lines it lost."""
    return {f"key {key.name}" for key in app.api_keys if key.revoked == (1,)}


def losers(whole: bytes, left: bytes) -> set[str]:
    """Return the apps that lose something in the run that such a file begins; none where the run is refused."""
    before = parse(whole).apps
    try:
        registry = parse(left)
        check_transition(
            [applied(app) for app in before],
            registry.apps,
            FILE,
            accounts={"aura": "p"},
            registered=Registered(registry.apps),
        )
    except (RegistryError, TransitionError):
        return set()
    after = {app.id: app for app in registry.apps}
    return {
        app.id
        for app in before
        if app.id not in after
        or parts(app) - parts(after[app.id]) - revoked(app)
        or app.region != after[app.id].region
        or app.database.postgres_version != after[app.id].database.postgres_version
    }


def assert_let_go(whole: bytes, lost: set[str]) -> None:
    deletions = {app.id: app.deletion for app in parse(whole).apps}
    assert len(lost) <= 1, lost
    assert all(deletions[app] != "protect" for app in lost), lost


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_file_that_ends_behind_any_line_takes_nothing_that_was_not_let_go(whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    for count in range(len(lines)):
        assert_let_go(whole, losers(whole, b"".join(lines[:count])))


@settings(max_examples=150)
@given(whole=st.sampled_from(list(WHOLE.values())), data=st.data())
def test_nor_does_one_that_ends_at_any_byte(whole: bytes, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(whole) - 1))
    assert_let_go(whole, losers(whole, whole[:end]))


def test_nor_does_one_that_lost_lines_in_the_middle() -> None:
    lines = BLOCKS.splitlines(keepends=True)
    for first in range(len(lines)):
        for last in range(first + 1, len(lines) + 1):
            assert_let_go(BLOCKS, losers(BLOCKS, b"".join([*lines[:first], *lines[last:]])))


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_file_with_marks_of_a_merge_is_refused(whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    for count in range(1, len(lines)):
        for marks in (
            [b"<<<<<<< HEAD\n", *lines[count:], b"=======\n", b">>>>>>> branch\n"],
            [b"<<<<<<< HEAD\n", b"=======\n", *lines[count:], b">>>>>>> branch\n"],
        ):
            with pytest.raises(RegistryError):
                parse(b"".join([*lines[:count], *marks]))


@pytest.mark.parametrize("left", [b"", b"\n", b"---\n", b"version: 1\n", b"{}\n"])
def test_an_empty_file_is_no_registry(left: bytes) -> None:
    with pytest.raises(RegistryError):
        parse(left)


def test_a_registry_without_tenants_takes_nothing() -> None:
    assert losers(BLOCKS, b"version: 1\ntenants: {}\n") == set()
