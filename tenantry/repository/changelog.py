"""What changed between two versions, by the changelog (Keep a Changelog 1.1.0)."""

from __future__ import annotations

import re
from typing import Final

_SECTION: Final = re.compile(r"^## \[?(?P<name>[^\]\s]+)\]?.*$", re.MULTILINE)
_UNRELEASED: Final = "unreleased"


def between(changelog: str, old: str, new: str) -> str:
    """Return the sections of the versions after the old one, up to the new one; empty where there are none.

    What is not released yet counts too: a wheel that has such a section was built before its release.
    """
    heads = [*_SECTION.finditer(changelog)]
    ends = [*(each.start() for each in heads[1:]), len(changelog)]
    sections = [
        changelog[head.start() : end].strip()
        for head, end in zip(heads, ends, strict=True)
        if head["name"].lower() == _UNRELEASED
        or _number(old) < _number(head["name"]) <= _number(new)
    ]
    return "\n\n".join(each for each in sections if "\n" in each)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
