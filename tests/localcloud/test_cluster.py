"""One data directory and its server, without the local cloud around them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from typing import TYPE_CHECKING

from localcloud.postgres.cluster import Cluster
from localcloud.postgres.installation import outside_folder, prepare
from localcloud.postgres.template import make_template

if TYPE_CHECKING:
    from pathlib import Path


def _postmaster(cluster: Cluster) -> int:
    return int((cluster.folder / "postmaster.pid").read_text().split("\n", 1)[0])


def test_a_server_that_died_this_very_moment_is_started_again(tmp_path: Path) -> None:
    async def scene() -> None:
        installation = prepare(tmp_path, "")
        await make_template(installation, "secret")
        cluster = Cluster(installation, "one", "secret")
        await cluster.create()
        async with cluster.held():
            killed = _postmaster(cluster)
            os.kill(killed, signal.SIGKILL)
            # Its end has come, and the event loop has had no turn in which to hear of it.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)
            await cluster.revive()
            assert _postmaster(cluster) != killed
            async with cluster.connect() as connection:
                await connection.execute("SELECT 1")
        await cluster.destroy()

    try:
        asyncio.run(scene())
    finally:
        shutil.rmtree(outside_folder(tmp_path), ignore_errors=True)
