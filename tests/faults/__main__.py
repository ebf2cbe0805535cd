"""`make faults`: the whole matrix, or a part of it.

--seed N       of the order of the cases and of all chance in them (1)
--cases TEXT   those whose name or kill point holds the text
--resume       skip what has passed in an earlier run with this seed
--stock        with the unmodified Neon provider, which must fail
--workers N    how many at once (2)
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from rich.console import Console

from tests.engine.workspace import REPOSITORY
from tests.faults.cloud import FaultyCloud, faulty_cloud
from tests.faults.points import PACE, Case, matrix
from tests.faults.results import Results, table
from tests.faults.running import run
from tests.faults.stock import stock_plugins

FOLDER: Final = REPOSITORY / ".tenantry" / "faults"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; 0 only if nothing at all was found."""
    options = _parser().parse_args(arguments)
    console = Console(width=max(Console().width, 170), highlight=False)
    cases = [case for case in matrix() if options.cases in case.id or options.cases in case.where]
    if not cases:
        console.print(f"no case is called {options.cases!r}")
        return 1
    name = f"{'stock-' if options.stock else ''}{options.seed}"
    results = Results(FOLDER / f"{name}.jsonl", resume=options.resume)
    waiting = [case for case in cases if case.id not in results.found]
    random.Random(options.seed).shuffle(waiting)
    plugins = stock_plugins() if options.stock else None
    begun = time.monotonic()
    _Work(waiting, results, options.seed, plugins, console).run(options.workers)
    minutes = (time.monotonic() - begun) / 60
    console.print(table(cases, results.found))
    missing = [case for case in cases if case.id not in results.found]
    failed = [case for case in cases if case not in missing and not results.found[case.id].passed]
    for case in failed:
        for finding in results.found[case.id].findings:
            console.print(f"{case.id}: {finding.kind}: {finding.text}", markup=False)
    console.print(
        f"{len(cases)} cases, {len(waiting) - len(missing)} of them run now in {minutes:.1f} minutes with seed {options.seed}; {len(failed)} failed, {len(missing)} were not run"
    )
    if options.stock:
        _compare(cases, results, console)
    return 1 if failed or missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", default="")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=2)
    return parser


class _Work:
    """The cases that wait, and who takes them: each worker has a local cloud of its own."""

    def __init__(
        self,
        cases: list[Case],
        results: Results,
        seed: int,
        plugins: Path | None,
        console: Console,
    ) -> None:
        self._queue: SimpleQueue[Case] = SimpleQueue()
        for case in cases:
            self._queue.put(case)
        self._results = results
        self._seed = seed
        self._plugins = plugins
        self._console = console
        self._total = len(cases)
        self._done = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self, workers: int) -> None:
        """Run all of them."""
        with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._stop)
            done = [pool.submit(self._take, folder / f"worker-{n}") for n in range(workers)]
            for each in done:
                each.result()

    def _stop(self, *_signal: object) -> None:
        # What is left behind by a case that is cut off would be for somebody else to clear away.
        self._console.print("the cases under way are ended first; RESUME=1 goes on from there")
        self._stopped.set()

    def _take(self, folder: Path) -> None:
        folder.mkdir()
        with faulty_cloud(folder / "cloud", pace=PACE) as cloud:
            while not self._stopped.is_set():
                try:
                    case = self._queue.get_nowait()
                except Empty:
                    return
                self._one(case, cloud)

    def _one(self, case: Case, cloud: FaultyCloud) -> None:
        kept = FOLDER / "failed" / str(self._seed) / case.id.replace("/", "--")
        result = run(case, cloud, kept, seed=self._seed, plugins=self._plugins)
        self._results.add(result)
        with self._lock:
            self._done += 1
            said = "" if result.passed else ", ".join(sorted({f.kind for f in result.findings}))
            self._console.print(
                f"{self._done:4} of {self._total}  {result.seconds:5.1f} s  {case.id}  {said or 'ok'}",
                markup=False,
            )


def _compare(cases: Sequence[Case], results: Results, console: Console) -> None:
    """Say where the unmodified provider did not fail although it is known to."""
    known = [case for case in cases if case.stock and case.id in results.found]
    came_through = [case.id for case in known if results.found[case.id].passed]
    console.print(
        f"of {len(known)} cases in which the unmodified provider is known to fail, {len(known) - len(came_through)} failed"
    )
    for name in came_through:
        console.print(f"  came through: {name}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
