"""The table of the metrics in a page: `python -m tenantry.observing.page docs/monitoring.md` makes it again."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from tenantry.observing.metrics import table

_TABLE: Final = re.compile(r"^\| metric \|.*?\n(?!\|)", re.DOTALL | re.MULTILINE)


def renewed(page: str) -> str:
    """Return a page with its table as the definitions have it."""
    return _TABLE.sub(lambda _: table(), page, count=1)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(renewed(file.read_text("utf-8")), "utf-8")
