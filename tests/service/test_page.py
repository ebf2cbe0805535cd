"""The page of the fleet over HTTP: who sees what, what is shown, and what is never in it."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest

from tenantry.pages.headers import POLICY
from tests.service.api import REGISTRY
from tests.service.page import Pages, pages, token_in, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud.catalog import Catalog

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def site(catalog: Catalog, tmp_path: Path) -> Iterator[Pages]:
    with pages(catalog, tmp_path) as made:
        yield made


def test_the_fleet_shows_what_the_file_declares_and_what_was_asked_for(site: Pages) -> None:
    site.api.create("web", plan="starter")
    failed = site.api.create("shop", plan="pro")
    site.api.work(failed["operation"]["id"], "failed")
    with site.visitor() as visitor:
        shown = visitor.get("/").text
        for app in ("acme/web", "acme/shop", "acme/filed"):
            assert f'href="/apps/{app}"' in shown
        # The worst first, with its reason.
        assert shown.index("/apps/acme/shop") < shown.index("/apps/acme/web")
        assert "no such region" in shown
        assert "tenants.yaml:" in shown
        assert "asked for, plan pro" in shown
        found = visitor.get("/?status=failed&q=SHOP&tenant=acme").text
        assert "/apps/acme/shop" in found
        assert "/apps/acme/web" not in found


def test_an_app_shows_its_operations_who_asked_and_its_keys(site: Pages) -> None:
    made = site.api.create("shop", plan="pro")
    site.api.work(made["operation"]["id"], "failed")
    with site.visitor() as visitor:
        shown = visitor.get("/apps/acme/shop").text
        assert "no such region" in shown
        assert "apps.create" in shown
        assert "tests|ann" in shown
        assert "default" in shown
        assert "tenantry show acme/shop" in shown
        assert visitor.get("/apps/acme/nothing").status_code == 404


def test_only_who_is_signed_in_sees_anything(site: Pages) -> None:
    with site.stranger() as stranger:
        for path in ("/", "/apps/acme/filed"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
                303,
                "/sign-in",
            )
        assert stranger.get("/sign-in").status_code == 200
        stranger.cookies.set("tenantry-session", "e30.e30.e30")
        assert stranger.get("/").status_code == 303


def test_a_tenant_sees_its_own_apps_alone(site: Pages) -> None:
    site.api.create("web")
    with site.visitor("apps:read", tenant="globex") as visitor:
        shown = visitor.get("/").text
        assert "acme" not in shown
        assert visitor.get("/apps/acme/web").status_code == 404
    with site.visitor("apps:read", tenant="acme") as visitor:
        assert visitor.get("/apps/acme/web").status_code == 200
    with site.visitor("apps:read") as visitor:
        assert "/apps/acme" not in visitor.get("/").text
    with site.visitor("apps:write", tenant="acme") as visitor:
        assert visitor.get("/").status_code == 403


def test_a_link_signs_one_browser_in_once(site: Pages) -> None:
    link = site.link()
    with site.stranger() as browser, site.stranger() as other:
        assert browser.get(f"{link}x").status_code == 403
        answer = browser.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        shown = browser.get("/")
        assert "olga@host" in shown.text
        assert other.get(link).status_code == 403
        # Whoever comes later takes the next one.
        assert other.get(site.link()).status_code == 303
        assert browser.post("/sign-out").status_code == 415
        assert browser.post("/sign-out", data={"form_token": "0" * 64}).status_code == 403
        ended = browser.post("/sign-out", data={"form_token": token_in(shown.text)})
        assert ended.status_code == 303
        assert browser.get("/").status_code == 303


def test_nothing_from_elsewhere_runs_in_a_page_and_the_api_is_as_it_was(site: Pages) -> None:
    with site.visitor() as visitor:
        shown = visitor.get("/")
        assert shown.headers["content-security-policy"] == POLICY
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["cache-control"] == "no-store"
        assert "<script>" not in shown.text
        assert "style=" not in shown.text
        assert visitor.get("/static/page.js").status_code == 200
        assert visitor.get("/static/../app.py").status_code == 404
        # What is wrong with a path of the API, the API says.
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("PUT", "/v1/apps", 405),
            ("GET", "/v1/apps", 401),
        ):
            answer = visitor.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
        assert visitor.get("/healthz").status_code == 200


def test_markup_is_shown_as_text(catalog: Catalog, tmp_path: Path) -> None:
    registry = REGISTRY.replace("{name: Acme,", f"{{name: '{MARKUP}', contact: a@b.example,")
    with pages(catalog, tmp_path, registry=registry) as site, site.visitor() as visitor:
        made = site.api.create("web")
        site.api.work(made["operation"]["id"], "failed")
        site.api.catalog.ask(f"UPDATE tenantry.operations SET error_text = 'E{MARKUP}'")
        site.api.catalog.ask(f"UPDATE tenantry.audit SET actor = 'A{MARKUP}'")
        seen = "".join(
            visitor.get(path).text
            for path in ("/", "/apps/acme/web", "/apps/acme/filed", f"/?q={MARKUP}&sort={MARKUP}")
        )
        assert "<img" not in seen
        for each in (MARKUP, f"E{MARKUP}", f"A{MARKUP}"):
            assert html.escape(each) in seen
        assert "<img" not in visitor.get(f"/apps/{MARKUP}/x").text
        assert "<img" not in visitor.get(f"/sign-in?next={MARKUP}").text
        for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example"):
            assert "evil" not in visitor.get("/sign-in", params={"next": elsewhere}).text


def test_states_that_cannot_be_read_are_said_and_the_rest_is_shown(
    site: Pages, tmp_path: Path
) -> None:
    # The command that reads them fails, and says why.
    (tmp_path / "Pulumi.yaml").unlink()
    with site.visitor() as visitor:
        assert "/apps/acme/filed" in until(visitor, "/", "The states cannot be read")
