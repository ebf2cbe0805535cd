"""The page in a browser, on the real service: an app is asked for, made by a worker and seen live, and all views."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.canaries import Secrets
from tests.service.api import SECRET
from tests.service.browsing import NARROW, WIDE, Watched, axe_source, chromium, overflows, serious
from tests.service.folder import ServiceFolder
from tests.service.test_serve import ISSUER, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, StorageState

    from tests.localcloud.catalog import Catalog
    from tests.localcloud_fixture import LocalCloud

LIVE_MS = 120_000
PICTURES = "SCREENSHOTS"
"""Names the folder that the README's pictures go into (`make screenshots`)."""


@pytest.fixture
def folder(tmp_path: Path, cloud: LocalCloud, catalog: Catalog) -> ServiceFolder:
    made = ServiceFolder.make(tmp_path / "service", cloud, catalog)
    made.project.environment |= ISSUER | {"TENANTRY_ACTOR": "olga@example"}
    return made


@pytest.fixture
def link(folder: ServiceFolder) -> Iterator[str]:
    """Serve, and give the link that signs in."""
    folder.ask("invoices", tenant="globex")
    process = serve(folder, "--workers", "1")
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("page: "):
                yield line.removeprefix("page: ").strip()
                break
        else:
            raise AssertionError("no link was printed")
    finally:
        process.terminate()
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=120)


def test_an_app_is_asked_for_and_seen_until_it_lives(folder: ServiceFolder, link: str) -> None:
    with chromium() as browser:
        url = link.partition("/sign-in")[0]
        context = browser.new_context(viewport=WIDE)
        watched = Watched.of(context)
        page = watched.page
        seen: dict[str, str] = {}
        page.goto(link)
        assert page.get_by_role("heading", name="Fleet").is_visible()
        page.get_by_role("link", name="Ask for an app").click()
        page.get_by_label("Name").fill("storefront")
        page.locator("select[name=plan]").select_option("keyed")
        page.get_by_role("button", name="Ask for it").click()
        # Nobody loads the page again: the server tells, and the page is renewed.
        page.locator("main .status.applied").first.wait_for(timeout=LIVE_MS)
        page.locator("#resources").wait_for(timeout=LIVE_MS)
        assert page.get_by_role("cell", name="valid").is_visible()
        seen["app"] = page.content()
        page.get_by_role("link", name="Rotate the login").click()
        page.get_by_role("button", name="Rotate it").click()
        page.locator("main .status.succeeded").wait_for(timeout=LIVE_MS)
        seen["run"] = page.content()
        for name in ("Runs", "Findings", "Plan", "Fleet"):
            page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
            assert page.get_by_role("heading", level=1).inner_text() == name
            seen[name] = page.content()
        page.goto(f"{url}/findings/look")
        page.get_by_role("button", name="Look").click()
        page.get_by_text("resources compared").wait_for(timeout=LIVE_MS)
        seen["findings"] = page.content()
        folder.project.registry.write_text(
            folder.project.registry.read_text().replace(
                "{name: Acme Inc., apps: {}}",
                "{name: Acme Inc., apps: {stockroom: {environment: staging, region: aws-us-east-2}}}",
            )
        )
        page.goto(f"{url}/plan")
        box = page.get_by_role("checkbox", name="Plan acme/stockroom")
        for _ in range(60):
            if box.is_visible():
                break
            page.wait_for_timeout(2000)
            page.goto(f"{url}/plan")
        box.check()
        page.get_by_role("button", name="Plan the chosen apps").click()
        page.get_by_role("heading", name="create acme/stockroom").wait_for(timeout=LIVE_MS)
        seen["plan"] = page.content()
        assert watched.said == []
        page.goto(f"{url}/")
        _picture(page, "page-fleet")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{url}/apps/acme/storefront")
        _picture(page, "page-app")

        _check_every_view(browser, context.storage_state(), url)
        _check_no_secret(folder, seen)


def _picture(page: Page, name: str) -> None:
    if folder := os.environ.get(PICTURES):
        page.locator("main:not([data-again])").wait_for(timeout=LIVE_MS)
        page.screenshot(path=Path(folder) / f"{name}.png")


def _check_every_view(browser: Browser, state: StorageState, url: str) -> None:
    source = axe_source()
    faults: list[str] = []
    for scheme in ("light", "dark"):
        # The policy would keep axe from being put into the page.
        context = browser.new_context(
            viewport=NARROW, color_scheme=scheme, storage_state=state, bypass_csp=True
        )
        page = context.new_page()
        for path in (
            "/",
            "/apps/acme/storefront",
            "/runs",
            "/findings",
            "/plan",
            "/ask",
            "/apps/acme/nothing",
        ):
            page.goto(f"{url}{path}")
            faults += [f"{scheme} {path}: {each}" for each in serious(page, source)]
            if (beyond := overflows(page)) > 0:
                faults.append(f"{path} is {beyond} px too wide at 360")
        context.close()
    plain = browser.new_context(java_script_enabled=False, storage_state=state)
    page = plain.new_page()
    page.goto(f"{url}/?q=store")
    page.get_by_role("link", name="acme/storefront").click()
    assert page.get_by_role("heading", name="acme/storefront").is_visible()
    plain.close()
    assert faults == []


def _check_no_secret(folder: ServiceFolder, seen: dict[str, str]) -> None:
    out = folder.project.pulumi(
        "stack", "output", "--json", "--show-secrets", "--stack", "acme--storefront"
    )
    outputs = json.loads(out)
    urls = [*outputs["urls"]["acme/storefront"].values(), folder.catalog.url]
    passwords = {f"password {n}": _password(url) for n, url in enumerate(urls)}
    key = {"key": outputs["apiKeys"]["acme/storefront"]["default"]["1"], "token": SECRET.decode()}
    assert Secrets(passwords | key).hits((name, html.encode()) for name, html in seen.items()) == []


def _password(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["password"])
