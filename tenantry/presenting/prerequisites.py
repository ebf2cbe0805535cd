"""What a run needs around it, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.presenting.printing import print_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tenantry.recovery.prerequisites import Check


def print_checks(checks: Iterable[Check]) -> None:
    """Print a row for each thing: ok, or the command that mends it."""
    rows = [
        [each.name, "ok" if each.ok else each.command or "not ok", each.text] for each in checks
    ]
    print_table(["needed", "ok, or what mends it", "found"], rows)
