"""How long a caller wants to wait: `Prefer` (RFC 7240) with `respond-async` and `wait=N`."""

from __future__ import annotations

import re
from typing import NamedTuple

_WAIT = re.compile(r'wait\s*=\s*"?(\d{1,9})"?', re.IGNORECASE)


class Preference(NamedTuple):
    """How long to wait, and what the answer says was heeded."""

    seconds: int
    applied: str
    """For `Preference-Applied`; empty where nothing was asked."""

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer."""
        return {"Preference-Applied": self.applied} if self.applied else {}


def preference(headers: list[str], most: int) -> Preference:
    """Read the headers of a request. The first of one preference counts.

    :param most: the longest wait, in seconds; also where none is asked for
    """
    asked = [part.split(";")[0].strip() for header in headers for part in header.split(",")]
    seconds = next((int(found[1]) for each in asked if (found := _WAIT.fullmatch(each))), None)
    if any(each.lower() == "respond-async" for each in asked):
        # With a wait: answer so, but not before (RFC 7240, section 4.3).
        applied = "respond-async"
        if seconds is None:
            return Preference(0, applied)
        return Preference(min(seconds, most), f"{applied}, wait={min(seconds, most)}")
    if seconds is None:
        return Preference(most, "")
    return Preference(min(seconds, most), f"wait={min(seconds, most)}")
