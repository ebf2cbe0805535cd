"""What a run did, in a file below `.tenantry/fleet/runs`. No secret is in it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tenantry.fleet.events import Result

VERSION: Final = 1
_FOLDER: Final = ".tenantry/fleet/runs"
_PAUSE: Final = 1.0
"""Seconds between two writes while the run goes on."""


class Journal:
    """The record of one run; it is there from the run's begin, and whole at any moment."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        """Write that the run begins.

        :param folder: the project's folder
        :param facts: what the run is: `operation`, `actor`, `registry`, `selection`, `workers`
        """
        began = datetime.now(UTC)
        runs = folder / _FOLDER
        runs.mkdir(parents=True, exist_ok=True)
        self.file = runs / f"{began:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
        self._content: dict[str, Any] = {
            "version": VERSION,
            "began": began.isoformat(),
            "ended": None,
            **facts,
            "results": [],
        }
        self._written = 0.0
        self._write()

    def add(self, result: Result) -> None:
        """Note how it ended for one app."""
        self._content["results"].append(asdict(result))
        # Each write is of the whole: a thousand of them would be slow.
        if time.monotonic() - self._written > _PAUSE:
            self._write()

    def close(self, counts: Mapping[str, int]) -> None:
        """Note that the run has ended."""
        self._content |= {"ended": datetime.now(UTC).isoformat(), "counts": dict(counts)}
        self._write()

    def _write(self) -> None:
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self._content, indent=1))
        part.replace(self.file)
        self._written = time.monotonic()
