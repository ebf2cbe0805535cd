import pytest

from tenantry.registry.permission import allowed_apps


@pytest.mark.parametrize(
    ("configured", "environment", "allowed"),
    [
        (None, {}, set()),
        ("", {"TENANTRY_ALLOW_DESTROY": ""}, set()),
        ("a/b, c/d,", {}, {"a/b", "c/d"}),
        ("a/b", {"TENANTRY_ALLOW_DESTROY": "e/f , a/b"}, {"a/b", "e/f"}),
    ],
)
def test_both_places_are_read(
    configured: str | None, environment: dict[str, str], allowed: set[str]
) -> None:
    assert allowed_apps(configured, environment) == allowed
