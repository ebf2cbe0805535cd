"""Where in the file a value may be written that an app has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenantry.registry.document import Path


class Place(NamedTuple):
    """The place of an app, or of a plan, in the file, and those of the values that it takes its defaults from."""

    app: Path
    tenant: Path

    def candidates(self, path: Path) -> Iterator[Path]:
        """Where the app's value at `path` may be written, nearest first."""
        yield (*self.app, *path)
        if path[0] == "quotas":
            yield (*self.tenant, *path)
        yield ("defaults", *path)
