"""How long work takes, as it was measured in this folder, and what is left of a run by that.

An app's resources mostly wait for one another and apps do not, so what is left is the longest sum of one app's work;
how much of an app's work goes on at once is learnt as the ratio between such sums and whole runs.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Final

from tenantry.clouds.aura import INSTANCE_READY
from tenantry.running.events import by_app

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from tenantry.running.events import Watch, Work

FILE: Final = "times.json"
_VERSION: Final = 1
_NEW: Final = 0.5
"""The weight of the last run against those before it."""


@dataclass
class Times:
    """Seconds of each kind of work."""

    seconds: dict[str, float] = field(default_factory=dict)
    """By type and operation: `neon:index/project:Project create`."""
    pace: float = 1.0
    """The length of a whole run, by the longest sum of one app's work in it."""

    @classmethod
    def read(cls, folder: Path) -> Times:
        """Read what earlier runs took; a file that is not there, or cannot be read, is no earlier run.

        :param folder: the project's `.tenantry`
        """
        # Only an estimate depends on it, and the next run writes it again.
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads((folder / FILE).read_text("utf-8"))
            if found["version"] == _VERSION:
                return cls(
                    {str(key): float(value) for key, value in found["seconds"].items()},
                    float(found["pace"]),
                )
        return cls()

    def learn(self, watch: Watch) -> None:
        """Add how long a run took."""
        for work, seconds in watch.took.items():
            key = _key(work)
            before = self.seconds.get(key, seconds)
            self.seconds[key] = round(before * (1 - _NEW) + seconds * _NEW, 3)
        longest = max(
            (sum(watch.took[work] for work in works) for works in _lines(watch.took)),
            default=0.0,
        )
        if longest:
            self.pace = round(self.pace * (1 - _NEW) + watch.elapsed / longest * _NEW, 3)

    def write(self, folder: Path) -> None:
        """Keep it, whole or not at all; where the folder cannot be written, the next run knows less."""
        part = folder / f".{FILE}.{os.getpid()}"
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            content = {"version": _VERSION, "pace": self.pace, "seconds": self.seconds}
            part.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")
            part.replace(folder / FILE)

    def remaining(self, watch: Watch) -> float | None:
        """Estimate what is left of a run, in seconds.

        None where no preview said what there is to do, all of that is done, or some of it is of a kind that was not yet
        measured, neither by an earlier run nor by this one.
        """
        left = watch.left
        known = {**_means(watch.took), **self.seconds}
        if not left or any(_key(work) not in known for work in left):
            return None
        spent = dict(watch.in_flight)
        longest = max(
            sum(max(known[_key(work)] - spent.get(work, 0.0), 0.0) for work in works)
            for works in _lines(left)
        )
        return longest * self.pace


def _means(took: Mapping[Work, float]) -> dict[str, float]:
    every = defaultdict(list)
    for work, seconds in took.items():
        every[_key(work)].append(seconds)
    return {key: fmean(each) for key, each in every.items()}


def _lines(works: Collection[Work]) -> list[list[Work]]:
    """Sort work into what waits for one another: an app's, but for graphs, which become ready side by side."""
    waits = [[work] for work in works if work.type == INSTANCE_READY]
    return [*by_app(work for work in works if work.type != INSTANCE_READY).values(), *waits]


def _key(work: Work) -> str:
    return f"{work.type} {work.operation}"
