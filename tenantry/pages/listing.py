"""Which rows of a table are shown: searched, filtered, sorted and cut into pages, as the URL says. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tenantry.pages.rows import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tenantry.pages.rows import Row

PER_PAGE: Final = 50
_MOST_OF_TEXT: Final = 200
_FILTERS: Final = ("tenant", "environment", "region", "status")
_ORDERS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "status": lambda row: (row.rank, row.app),
    "app": lambda row: row.app,
    "environment": lambda row: (row.environment, row.app),
    "region": lambda row: (row.region, row.app),
    "ended": lambda row: (row.ended.timestamp() if row.ended else 0, row.app),
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """What the URL asks for. Whatever is no value of ours is as if it were not there."""

    q: str = ""
    """Is in the app's id, host, project, place or reason, whatever its case."""
    tenant: str = ""
    environment: str = ""
    region: str = ""
    status: str = ""
    frozen: bool = False
    """Only apps that are frozen."""
    sort: str = "status"
    down: bool = False
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Query:
        """Read the parameters of a URL."""
        sort = given.get("sort", "")
        page = given.get("page", "1")
        status = given.get("status", "")
        return cls(
            **{
                name: given.get(name, "").strip()[:_MOST_OF_TEXT]
                for name in ("q", "tenant", "environment", "region")
            },
            status=status if status in STATUSES else "",
            frozen=given.get("frozen") == "1",
            sort=sort.removeprefix("-") if sort.removeprefix("-") in _ORDERS else "status",
            down=sort.startswith("-"),
            page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,  # noqa: PLR2004  # a million pages
        )

    def url(self, **changes: object) -> str:
        """Return the parameters of this with some changed, `?` before them; the first page where nothing is said."""
        changed = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # by name
        given = {name: getattr(changed, name) for name in ("q", *_FILTERS)}
        if changed.frozen:
            given["frozen"] = "1"
        if (changed.sort, changed.down) != ("status", False):
            given["sort"] = f"{'-' if changed.down else ''}{changed.sort}"
        if changed.page > 1:
            given["page"] = changed.page
        return f"?{urlencode({name: value for name, value in given.items() if value})}"

    def sorted_by(self, name: str) -> str:
        """Return the parameters for a column's head: its order, or the reverse where it is that already."""
        return self.url(sort=name, down=self.sort == name and not self.down)


@dataclass(frozen=True)
class Page:
    """What is shown."""

    query: Query
    rows: Sequence[Row]
    first: int
    """The number of the first row, from 1; 0 where there is none."""
    found: int
    """How many rows all pages have."""
    pages: int
    counts: Mapping[str, int]
    """How many rows stand so, of all that fit the rest of the query."""
    frozen: int
    """How many of them are frozen."""
    choices: Mapping[str, Sequence[str]]
    """What the filters may be set to."""


def listed(rows: Sequence[Row], query: Query) -> Page:
    """Return a page of rows."""
    words = query.q.lower().split()
    fitting = [
        row
        for row in rows
        if all(
            not (wanted := getattr(query, name)) or getattr(row, name) == wanted
            for name in ("tenant", "environment", "region")
        )
        and (not words or _has(row, words))
    ]
    chosen = [
        row
        for row in fitting
        if (not query.status or row.status == query.status) and (not query.frozen or row.frozen)
    ]
    chosen.sort(key=_ORDERS[query.sort], reverse=query.down)
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = min(query.page, pages)
    start = (page - 1) * PER_PAGE
    return Page(
        query=replace(query, page=page),
        rows=chosen[start : start + PER_PAGE],
        first=start + 1 if chosen else 0,
        found=len(chosen),
        pages=pages,
        counts=Counter(row.status for row in fitting),
        frozen=sum(1 for row in fitting if row.frozen),
        choices={
            name: sorted({value for row in rows if (value := getattr(row, name))})
            for name in ("tenant", "environment", "region")
        },
    )


def _has(row: Row, words: Sequence[str]) -> bool:
    text = f"{row.app} {row.host} {row.project} {row.declared} {row.reason}".lower()
    return all(word in text for word in words)
