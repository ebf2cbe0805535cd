"""The Neon plugin with the unmodified provider: what the matrix must find fault with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tenantry.engine.building import Builder
from tenantry.engine.cache import cache_root

_PLUGIN: Final = "pulumi-resource-terraform-provider"


def stock_plugins() -> Path:
    """Build the plugin with Go's tag `stock`, where that was not done yet, and return the folder that it is in."""
    builder = Builder(cache_root() / "engine", tag="stock")
    builder.build([_PLUGIN], _report)
    return builder.folder


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
