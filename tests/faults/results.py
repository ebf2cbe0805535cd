"""Results that outlive a run, and the table at its end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table

from tests.faults.points import VICTIMS
from tests.faults.running import Result
from tests.faults.verdict import KINDS, Finding

if TYPE_CHECKING:
    from tests.faults.points import Case

_HEADS: Final = {
    "orphan": "orphans",
    "duplicate": "duplicates",
    "lost password": "lost passwords",
    "leak": "leaks",
    "not converged": "not converged",
    "left behind": "left behind",
    "not reached": "not reached",
}


class Results:
    """A file with one line for each finished case, so that a run that was ended can go on."""

    def __init__(self, file: Path, *, resume: bool) -> None:
        """Begin anew, or with what is there.

        :param resume: keep the cases that passed; those that did not are run again
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._lock = threading.Lock()
        self.found: dict[str, Result] = {}
        if resume and file.exists():
            for line in file.read_text("utf-8").splitlines():
                result = _read(line)
                if result.passed:
                    self.found[result.case] = result
        file.write_text("".join(map(_line, self.found.values())), "utf-8")

    def add(self, result: Result) -> None:
        """Note a case."""
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            self.found[result.case] = result
            file.write(_line(result))


def _line(result: Result) -> str:
    return json.dumps(asdict(result)) + "\n"


def _read(line: str) -> Result:
    content = json.loads(line)
    findings = [Finding(**each) for each in content.pop("findings")]
    return Result(**content, findings=findings)


def table(cases: Sequence[Case], found: dict[str, Result]) -> Table:
    """Count the cases by kill point and by who died, and what was found, each case once in a column."""
    rows = Table(title="cases by kill point and by who dies")
    rows.add_column("kill point")
    for head in (*VICTIMS, "cases", *_HEADS.values()):
        rows.add_column(head, justify="right")
    done = [case for case in cases if case.id in found]
    points = list(dict.fromkeys(case.where for case in done))
    for point in points:
        rows.add_row(point, *_row([case for case in done if case.where == point], found))
    rows.add_section()
    rows.add_row("all", *_row(done, found))
    return rows


def _row(cases: Iterable[Case], found: dict[str, Result]) -> list[str]:
    counted = list(cases)
    victims = [sum(case.victim == victim for case in counted) for victim in VICTIMS]
    kinds = [
        sum(any(finding.kind == kind for finding in found[case.id].findings) for case in counted)
        for kind in KINDS
    ]
    shown = [str(number) if number else "" for number in (*victims, len(counted))]
    return [*shown, *map(str, kinds)]
