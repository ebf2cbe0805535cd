"""What a local cloud that died has left behind: servers that run, copies half made, folders that nobody knows."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

from localcloud.postgres.history import remove_unknown
from localcloud.postgres.server import ClusterError


async def stop_strays(clusters: Path) -> int:
    """Stop servers that an earlier local cloud left on our data directories; return how many there were.

    They were told to end when it died, so mostly this waits for them to finish.
    """
    strays = [
        found
        for pid_file in (clusters / "branches").glob("*/postmaster.pid")
        if (found := _postmaster(pid_file)) is not None
    ]
    for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        for pid, folder in strays:
            if _is_postmaster(pid, folder):
                os.kill(pid, stop)
        for _ in range(500):
            if not any(_is_postmaster(pid, folder) for pid, folder in strays):
                return len(strays)
            await asyncio.sleep(0.01)
    raise ClusterError(
        f"servers of an earlier run do not end: process ids {', '.join(str(pid) for pid, _ in strays)}; end them by hand"
    )


def remove_leftovers(clusters: Path, known: set[str]) -> None:
    """Remove half-made copies, and data directories and histories of branches that the state does not know."""
    for path in (clusters / "branches").glob("*"):
        if path.name.removesuffix(".log") not in known:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    remove_unknown(clusters, known)


def _postmaster(pid_file: Path) -> tuple[int, Path] | None:
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return (pid, pid_file.parent) if _is_postmaster(pid, pid_file.parent) else None


def _is_postmaster(pid: int, folder: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(folder) in command
