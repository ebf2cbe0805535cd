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


def test_the_files_of_each_change_are_there_and_few() -> None:
    """The table of `docs/architecture.md` that leads from a task to its files; what is new has `NAME` in its name."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("## Where to change what\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ")][2:]
    tasks = {task.strip(): re.findall(r"`([^`]+)`", files) for task, files in rows}
    assert len(tasks) >= 10
    assert {task: len(files) for task, files in tasks.items() if len(files) > 6} == {}
    named = [file for files in tasks.values() for file in files if "NAME" not in file]
    assert [file for file in named if not (ROOT / file).exists()] == []
