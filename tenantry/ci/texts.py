"""The texts of a comment and of an issue. Each is found again by its first line, a mark that no reader sees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tenantry.errors import counted
from tenantry.planning.markdown import LIMIT, drift_markdown, fenced, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.planning.drift import Drift
    from tenantry.planning.plan import Plan

MARK: Final = re.compile(r"<!-- tenantry:(?P<what>plan|drift|no-drift) (?P<stack>[\w.-]*) -->")
_LINES: Final = 100
_LENGTH: Final = 400


def mark(what: str, stack: str) -> str:
    """Return the first line of a text about a stack: `<!-- tenantry:plan prod -->`."""
    return f"<!-- tenantry:{what} {re.sub(r'[^A-Za-z0-9_.-]', '_', stack)} -->"


def of_plan(plan: Plan, stack: str, commit: str) -> str:
    """Return the comment of a plan.

    :param commit: what was planned; empty where that is not known
    """
    end = f"\nStack `{_code(stack)}`" + (f", commit {_hash(commit)}" if commit else "")
    end += ". What is above is applied as it is, or not at all.\n" if plan.rows else ".\n"
    head = mark("plan", stack)
    return f"{head}\n{markdown(plan, limit=LIMIT - len((head + end).encode()))}{end}"


def of_problems(problems: Sequence[str], file: str, stack: str) -> str:
    """Return the comment over a registry that is not valid."""
    count = counted(len(problems), "problem")
    return _failed(f"{_plain(file)} has {count}: nothing was planned.", problems, stack)


def of_failure(text: str, stack: str) -> str:
    """Return the comment where no plan could be made."""
    return _failed("The plan could not be made.", text.splitlines(), stack)


def of_drift(drift: Drift, stack: str) -> str:
    """Return the issue over a stack's drift, or what says that there is none."""
    head = mark("drift" if drift.differences else "no-drift", stack)
    end = (
        f"\nStack `{_code(stack)}`. `tenantry plan --refresh` shows what would put it back, `tenantry up -- --refresh` puts it "
        "back. What is to stay goes into the registry.\n"
    )
    limit = LIMIT - len((head + end).encode())
    return f"{head}\n{drift_markdown(drift, limit=limit)}{end if drift.differences else ''}"


def title_of_drift(stack: str) -> str:
    """Return the title of the issue."""
    return f"Drift in stack {stack}" if stack else "Drift"


def _failed(headline: str, lines: Sequence[str], stack: str) -> str:
    kept = [line if len(line) <= _LENGTH else f"{line[:_LENGTH]}…" for line in lines[:_LINES]]
    if len(lines) > _LINES:
        kept.append(f"… {len(lines) - _LINES} more lines: the log has them")
    return f"{mark('plan', stack)}\n### {headline}\n{fenced(kept)}"


def _plain(text: str) -> str:
    return re.sub(r"[^\w./ -]", "_", text)


def _code(text: str) -> str:
    return text.replace("`", "'") or "?"


def _hash(commit: str) -> str:
    # GitHub makes a link of a commit's hash that stands by itself.
    return commit if re.fullmatch(r"[0-9a-f]{7,64}", commit) else f"`{_code(commit)}`"
