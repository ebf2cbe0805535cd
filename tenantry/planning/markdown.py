"""A plan as the comment on a pull request."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.planning.lines import HEADS, cells, details, headline, monthly

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tenantry.planning.drift import Drift
    from tenantry.planning.plan import Plan, Row

LIMIT: Final = 65_536
"""The characters of a comment (GitHub, `body is too long (maximum is 65536 characters)`)."""
_LINE: Final = 400
_LINES: Final = 60
_RESERVED: Final = 600
"""What the sentences about what was cut, and a caller's own mark, may take."""


def markdown(plan: Plan, *, limit: int = LIMIT) -> str:
    """Return a plan as GitHub-flavoured Markdown: the summary first, then the table, then each app folded up.

    Detail that does not fit is cut from the end, where nothing is destroyed, and the text says what was cut.

    :param limit: the most bytes in UTF-8, which are never fewer than characters
    """
    text = f"### {headline(plan)}\n"
    room = limit - _RESERVED - _size(text)
    if plan.refusals:
        return text + _block((each.text for each in plan.refusals), room)
    if not plan.rows:
        return text + _warnings(plan, room)
    if said := monthly(plan):
        text += f"\n{said}\n"
    table, shown = _table(plan.rows, room // 2)
    text += table
    if shown < len(plan.rows):
        text += (
            f"\n{counted(len(plan.rows) - shown, 'app')}: cut here, since a comment has a limit.\n"
        )
    room = limit - _RESERVED - _size(text)
    cut = []
    for row in plan.rows:
        part = _folded(row)
        if _size(part) <= room:
            text += part
            room -= _size(part)
        elif part:
            cut.append(row)
    if cut:
        text += (
            f"\nThe details of {counted(len(cut), 'app')} are cut: `tenantry plan` shows them.\n"
        )
    return text + _warnings(plan, room)


def drift_markdown(drift: Drift, *, limit: int = LIMIT) -> str:
    """Return what differs as GitHub-flavoured Markdown, cut from the end where it does not fit.

    :param limit: as for `markdown`
    """
    text = f"### {drift.headline}\n"
    if not drift.lines:
        return text
    return text + _block(drift.lines, limit - _RESERVED - _size(text))


def _table(rows: Sequence[Row], room: int) -> tuple[str, int]:
    text = f"\n| {' | '.join(HEADS)} |\n|{'---|' * 2}{'---:|' * 5}---|\n"
    for shown, row in enumerate(rows):
        name, action, *numbers, destroys = cells(row)
        action = f"**{action}**" if row.destroys or action in {"delete", "replace"} else action
        line = f"| {' | '.join([_code(name), action, *numbers, _code(_cut(destroys))])} |\n"
        if _size(text) + _size(line) > room:
            return text, shown
        text += line
    return text, len(rows)


def _folded(row: Row) -> str:
    lines = details(row)
    if not lines:
        return ""
    more = len(lines) - _LINES
    kept = [*map(_cut, lines[:_LINES]), *([f"… {more} more lines are cut"] if more > 0 else [])]
    head = f"<details><summary><code>{row.name}</code>: {row.action}</summary>"
    return f"\n{head}\n{fenced(kept)}\n</details>\n"


def _warnings(plan: Plan, room: int) -> str:
    return _block(plan.warnings, room) if plan.warnings else ""


def _block(lines: Iterable[str], room: int) -> str:
    """Return as many lines as fit, as they are: nothing in them is Markdown, and nobody is mentioned by them."""
    given = [_cut(line) for text in lines for line in text.splitlines()]
    # A block with one more line is never smaller.
    fitting = bisect_right(range(len(given) + 1), room, key=lambda n: _size(fenced(given[:n])))
    kept = given[: max(0, fitting - 1)]
    if len(kept) < len(given):
        kept.append(f"… {len(given) - len(kept)} more lines are cut")
    return fenced(kept)


def fenced(lines: Sequence[str]) -> str:
    """Return lines as a block in which nothing is Markdown and nobody is mentioned."""
    fence = "```"
    while any(fence in line for line in lines):
        fence += "`"
    return "\n".join(["", f"{fence}text", *lines, fence, ""])


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`" if text else ""


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]}… ({len(line) - _LINE} more characters)"


def _size(text: str) -> int:
    return len(text.encode())
