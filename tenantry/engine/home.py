"""A Pulumi home whose plugin folder leads to the engine's plugins.

Pulumi warns of each plugin that it takes from PATH. In the plugin folder, under the version that the SDKs ask for, it
takes them as its own. The home of a local run is below `.tenantry`, so the user's own stays as it is.
"""

import os
from pathlib import Path
from typing import Final

from tenantry.engine.pins import NEON_BASE, POSTGRESQL, RANDOM

PLUGINS: Final = {"random": RANDOM, "postgresql": POSTGRESQL, "terraform-provider": NEON_BASE}


def link_plugins(bin_dir: Path, home: Path) -> None:
    """Link each plugin of the bin folder into the home's plugin folder; what is in place stays."""
    for name, version in PLUGINS.items():
        folder = home / "plugins" / f"resource-{name}-v{version}"
        link, target = folder / f"pulumi-resource-{name}", bin_dir / f"pulumi-resource-{name}"
        if link.is_symlink() and link.readlink() == target:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{link.name}.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(link)
