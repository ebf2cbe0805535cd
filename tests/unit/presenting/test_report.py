"""The fleet as one file: all texts are texts, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from tenantry.pages.rows import Row
from tenantry.presenting.report import Report
from tenantry.registry import parse
from tenantry.usage.budgets import Finding
from tenantry.usage.measures import Month
from tenantry.usage.reporting import usage

MARKUP = "<script>alert(1)</script><img src=x onerror=y>&amp;'\""
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


class Texts(HTMLParser):
    """Collects tags, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def row(app: str, **more: str) -> Row:
    known = {"actor": "", "host": "", "reason": "", "frozen": "", "declared": "tenants.yaml:4"}
    return Row(
        app=app,
        tenant=app.split("/", maxsplit=1)[0],
        name=app.split("/")[1],
        environment="production",
        region="aws-us-east-2",
        version=17,
        status="failed",
        ended=NOW,
        result="update failed",
        project="p",
        row=None,
        **(known | more),
    )


def report(source: str = "a list") -> str:
    registry = parse(
        f"""version: 1
defaults: {{environment: production, region: aws-us-east-2}}
prices: {{as_of: 2026-11-01, source: {source!r}, compute: 1}}
tenants: {{acme: {{apps: {{web: {{}}}}}}}}
""".encode()
    )
    month = Month(datetime(2026, 11, 1, tzinfo=UTC), NOW)
    texts = dict.fromkeys(("actor", "host", "reason", "frozen", "declared"), MARKUP)
    return Report(
        namespace="tenantry",
        rows=[row("acme/web", **texts), row("acme/left")],
        usage=usage(registry, [], month),
        budgets=[Finding(of="acme", level=80, text=MARKUP)],
        problems=[MARKUP],
    ).html()


def test_markup_is_shown_as_text_and_runs_nowhere() -> None:
    found = Texts(report("<b>bold</b> & more"))
    assert found.text.count(MARKUP) == 7
    assert "<b>bold</b> & more" in found.text
    assert not found.tags & {"script", "img", "iframe", "link", "object", "form", "a"}
    assert not {each for each in found.attributes if each.startswith("on")}


def test_the_file_stands_alone() -> None:
    page = report()
    found = Texts(page)
    assert not found.attributes & {"src", "href", "action", "srcset", "style"}
    assert not re.search(r"url\(|@import|javascript:", page)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert "prefers-color-scheme: dark" in page
    assert 'lang="en"' in page
    assert "viewport" in page


def test_each_app_and_what_is_not_known_of_it() -> None:
    found = Texts(report()).text.split()
    assert found.count("acme/web") == 1
    # An app that nobody measured has no amounts.
    assert found[found.index("acme/left") :].count("-") >= 4
    bare = Texts(Report(namespace="n", rows=[row("a/b")], usage=None).html()).text
    assert "a/b" in bare
    assert "estimate" not in bare
