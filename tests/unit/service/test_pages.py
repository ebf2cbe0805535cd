"""The page of the service has every setting, every route and every kind of problem."""

import re
from pathlib import Path

from fastapi import FastAPI

from tenantry.service import app as application
from tenantry.service.settings import _ISSUER, _PARSERS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "service.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_setting_is_on_the_page_and_no_other() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", section("Settings"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*_PARSERS, *_ISSUER}


def test_every_kind_of_problem_is_on_the_page_with_its_status() -> None:
    known: dict[str, str] = {}
    for row in re.findall(r"^\| (\d{3}) \| ([^|]*) \|", section("Errors"), re.MULTILINE):
        known |= dict.fromkeys(re.findall(r"`([a-z-]+)`", row[1]), row[0])
    used: dict[str, str] = {}
    for file in (ROOT / "tenantry" / "service").glob("*.py"):
        text = file.read_text("utf-8")
        used |= {
            slug: status
            for status, slug in re.findall(r'ProblemError\(\s*(\d{3}),\s*"([a-z-]+)"', text)
        }
    # These are put together from a table.
    used |= {"several-tokens": "400", "not-authenticated": "401", "invalid-token": "401"}
    assert known == used


def test_every_route_is_on_the_page() -> None:
    app = FastAPI()
    for each in application.ROUTERS:
        app.include_router(each.router)
    page = section("Routes").replace("/ID", "/{}").replace("/NAME", "/{}") + section("Start it")
    for path, item in app.openapi()["paths"].items():
        shown = re.sub(r"\{\w+\}", "{}", path)
        last = shown.removeprefix("/v1/operations/{}").removeprefix("/v1/apps/{}")
        assert f"`{shown}`" in page or f"{last}`" in page, path
        for method in item:
            assert method.upper() in page
