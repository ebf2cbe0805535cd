"""The Markdown files: lines that are read without scrolling, and links that lead somewhere."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDTH = 120
_PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in _PAGES])
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`]*`")


def _text(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a page that are not in a block of code."""
    fenced = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


@cache
def _anchors(page: Path) -> frozenset[str]:
    """Return what a link to the page may name behind `#`, as GitHub makes it of headings."""
    found: list[str] = []
    for _, line in _text(page):
        found += re.findall(r'<a id="([^"]+)">', line)
        if heading := re.match(r"#+ (.*)", line):
            words = re.sub(r"[^\w\- ]", "", heading[1].lower().strip())
            found.append(words.replace(" ", "-"))
    return frozenset(found)


@PAGES
def test_lines_are_short(page: str) -> None:
    """A row of a table cannot be broken, and a line of code is copied as it is."""
    long = [
        f"{page}:{number}: {len(line)} characters"
        for number, line in _text(ROOT / page)
        if len(line) > WIDTH and not line.lstrip().startswith("|") and not line.startswith("    ")
    ]
    assert long == []


@PAGES
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for number, line in _text(ROOT / page):
        for target in _LINK.findall(_CODE.sub("", line)):
            if target.startswith(("https://", "http://", "mailto:")):
                continue
            name, _, anchor = target.partition("#")
            file = (ROOT / page).parent / name if name else ROOT / page
            if not file.exists():
                broken.append(f"{page}:{number}: {target}: no such file")
            elif anchor and anchor not in _anchors(file):
                broken.append(f"{page}:{number}: {target}: no such heading")
    assert broken == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = _LINK.findall((folder / "README.md").read_text("utf-8"))
    assert index == sorted(page.name for page in folder.glob("[0-9]*.md"))
