from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.catalog.listing import ListedKey, StoredKey, listed_keys
from tenantry.registry import App, parse

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MADE = datetime(2026, 9, 1, tzinfo=UTC)
REGISTRY = """\
version: 1
defaults: {environment: staging, region: us-east-1}
tenants:
  acme:
    apps:
      web: {api_keys: [{name: default, generation: 3, revoked: [3]}, {name: new, expires: 2027-06-30}]}
      api: {api_keys: [{name: default}]}
"""


def apps() -> tuple[App, ...]:
    return parse(REGISTRY.encode()).apps


def stored(app: str, name: str, generation: int, **changed: Any) -> StoredKey:
    values: dict[str, Any] = {
        "prefix": f"acme--{name}",
        "scopes": ("read",),
        "created": MADE,
        "expires": None,
        "last_used": None,
        "revoked": False,
    }
    return StoredKey(app, name, generation, **values | changed)


def states(*keys: StoredKey, every: bool = False) -> list[tuple[str, str, int, str]]:
    rows = listed_keys(apps(), keys, now=NOW, every=every)
    return [(row.app, row.name, row.generation, row.state) for row in rows]


def test_what_the_catalog_lacks_is_missing_unless_it_is_revoked() -> None:
    assert states() == [
        ("acme/web", "default", 2, "missing"),
        ("acme/web", "new", 1, "missing"),
        ("acme/api", "default", 1, "missing"),
    ]
    assert listed_keys(apps(), [], now=NOW)[1] == ListedKey(
        "acme/web",
        "new",
        1,
        "acme--new",
        ("read", "write"),
        "missing",
        None,
        datetime(2027, 7, 1, tzinfo=UTC),
        None,
    )


def test_the_state_is_what_verification_says() -> None:
    assert states(
        stored("acme/web", "default", 2),
        stored("acme/web", "default", 3, revoked=True, expires=NOW),
        stored("acme/web", "new", 1, expires=NOW),
        stored("acme/api", "default", 1, expires=NOW + timedelta(microseconds=1)),
    ) == [
        ("acme/web", "default", 2, "valid"),
        ("acme/web", "default", 3, "revoked"),
        ("acme/web", "new", 1, "expired"),
        ("acme/api", "default", 1, "valid"),
    ]


def test_a_valid_key_that_the_registry_does_not_want_is_shown_and_a_revoked_one_on_demand() -> None:
    keys = [
        stored("acme/api", "default", 1),
        stored("acme/old", "default", 1),
        stored("acme/web", "default", 1, revoked=True),
        stored("acme/web", "new", 2),
    ]
    others = [("acme/old", "default", 1), ("acme/web", "default", 1), ("acme/web", "new", 2)]
    assert [row for row in states(*keys) if row[:3] in others] == [
        ("acme/old", "default", 1, "not in the registry"),
        ("acme/web", "new", 2, "not in the registry"),
    ]
    assert [row for row in states(*keys, every=True) if row[:3] in others] == [
        ("acme/old", "default", 1, "not in the registry"),
        ("acme/web", "default", 1, "revoked"),
        ("acme/web", "new", 2, "not in the registry"),
    ]


def test_of_two_rows_of_a_generation_the_last_counts() -> None:
    old = stored("acme/api", "default", 1, revoked=True)
    new = stored("acme/api", "default", 1, created=NOW)
    assert ("acme/api", "default", 1, "valid") in states(old, new)
    assert ("acme/api", "default", 1, "revoked") not in states(old, new)
    assert ("acme/api", "default", 1, "revoked") in states(old, new, every=True)
