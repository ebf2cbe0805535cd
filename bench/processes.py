"""What a command and everything that it starts take: wall, CPU by part, and the highest memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEGABYTE: Final = 1024 * 1024
_PARTS: Final = (
    ("pulumi-resource-terraform-provider", "Neon plugin"),
    ("pulumi-resource-postgresql", "Postgres plugin"),
    ("pulumi-resource-random", "random plugin"),
    ("pulumi.dynamic", "dynamic resources"),
    ("pulumi-resource-pulumi-python", "dynamic resources"),
    ("pulumi-language-python-exec", "program"),
    ("pulumi-language-python", "language host"),
    ("-m pip", "listing of packages"),
    ("tenantry", "command line and program"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One command; seconds and megabytes."""

    wall: float
    cpu: float
    """Of the command and all its descendants, as the system counted it at their ends."""
    peak_mb: float
    """The proportional set size of all of them together, sampled."""
    parts: dict[str, float]
    """CPU by part, sampled: what a process takes between its last sample and its end is under `not seen`."""


def measure(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    samples_a_second: float = 10,
    memory: bool = True,
    codes: frozenset[int] = frozenset({0}),
) -> Cost:
    """Run a command to its end. Raises RuntimeError with its last words where it ends with another code than these."""
    before = os.times()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    sampler = _Sampler(psutil.Process(process.pid), 1 / samples_a_second, memory=memory)
    try:
        said, _ = process.communicate()
    finally:
        sampler.end()
    after = os.times()
    if process.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)}: {said.decode(errors='replace')[-2000:]}")
    cpu = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    parts = sampler.parts()
    parts["not seen"] = max(0.0, cpu - sum(parts.values()))
    return Cost(after.elapsed - before.elapsed, cpu, sampler.peak / MEGABYTE, parts)


class _Sampler(threading.Thread):
    """Looks at a process and its descendants until it is told to end."""

    def __init__(self, root: psutil.Process, interval: float, *, memory: bool) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._root = root
        self._interval = interval
        self._memory = memory
        self._ended = threading.Event()
        self._seen: dict[tuple[int, float], tuple[str, float]] = {}
        self.start()

    def end(self) -> None:
        self._ended.set()
        self.join()

    def parts(self) -> dict[str, float]:
        total: dict[str, float] = {}
        for part, seconds in self._seen.values():
            total[part] = total.get(part, 0.0) + seconds
        return total

    def run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            self._look()
            # A look over many processes takes a while: it may not become all that this machine does.
            self._ended.wait(max(self._interval, 4 * (time.monotonic() - began)))

    def _look(self) -> None:
        memory = 0
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return
        for process in tree:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    key = (process.pid, process.create_time())
                    self._seen[key] = (_part(process), times.user + times.system)
                if self._memory:
                    memory += process.memory_full_info().pss
            except psutil.Error:
                continue
        self.peak = max(self.peak, memory)


def _part(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    if Path(process.exe()).name in {"pulumi", "pulumi-resident"}:
        return "engine"
    return next((part for mark, part in _PARTS if mark in words), "other")
