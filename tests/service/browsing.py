"""A real browser, which is there already: Chromium of the machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.localcloud.foreign import install_node_packages, made, need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

VARIABLE: Final = "CHROMIUM"
"""Names the browser where it is not on PATH."""
_AXE: Final = Path(__file__).parent / "browser" / "axe"
NARROW: Final[ViewportSize] = {"width": 360, "height": 740}
WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; skip the test where there is none."""
    program = os.environ.get(VARIABLE) or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no browser here: apt-get install chromium, or name one in CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container's root has no sandbox of its own; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page, and what the browser said about it: errors of scripts, what the policy refused."""

    page: Page
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: BrowserContext) -> Watched:
        page = context.new_page()
        watched = cls(page)
        page.on(
            "console",
            lambda message: watched.said.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: watched.said.append(str(error)))
        return watched


def axe_source() -> str:
    """Return axe-core, fetched once."""
    need("npm")
    folder = made(_AXE, install_node_packages)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


def serious(page: Page, source: str) -> list[str]:
    """Return what axe-core finds that is serious or worse."""
    page.evaluate(source)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(found => found.violations)")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


def overflows(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found
