import pytest

from tenantry.registry.permission import LEAVING, VARIABLE, allowed_apps, leaving_apps


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


def test_what_a_destroy_takes_out_is_of_its_own_run_only() -> None:
    assert leaving_apps({}) == frozenset()
    assert leaving_apps({LEAVING: "acme/web, acme/api", VARIABLE: "acme/old"}) == {
        "acme/web",
        "acme/api",
    }
