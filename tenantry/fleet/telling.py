"""What a person reads while a fleet is at work: a line for each app that is through, and what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TextIO

from tenantry.errors import counted
from tenantry.fleet.events import BAD, Begun, Finished, Noted, Progress, Started, Summary, Waiting

if TYPE_CHECKING:
    from tenantry.fleet.events import Event, Result

_NAMED = 3
"""How many apps in flight the line of progress names."""


class Teller:
    """Writes events as text: results to one stream, all else to another, with a line of progress on a terminal."""

    def __init__(self, results: TextIO, beside: TextIO) -> None:
        """Write nothing yet."""
        self._results = results
        self._beside = beside
        self._in_flight: dict[str, str] = {}
        self._through = self._all = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        """Show a line of progress where somebody sees it."""
        if self._beside.isatty():
            # Imported here: a log or a pipe has no use for it.
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.MofNCompleteColumn(),
                progress.BarColumn(bar_width=20),
                progress.TimeElapsedColumn(),
                progress.TextColumn("left"),
                progress.TimeRemainingColumn(),
                progress.TextColumn("{task.description}", markup=False),
                console=Console(file=self._beside),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        match event:
            case Begun():
                self._all = event.apps
                for line in event.notes:
                    self._say(line)
                self._say(
                    f"{event.operation}: {counted(event.apps, 'app')}, {event.workers} at once; {event.unchanged} unchanged"
                )
                if self._bar is not None:
                    self._task = self._bar.add_task("", total=event.apps)
            case Started():
                self._in_flight[event.app] = ""
            case Progress() if not event.done:
                self._in_flight[event.app] = event.resource.partition(" ")[0]
            case Noted():
                self._say(f"{event.app}: {event.text}")
            case Waiting():
                self._in_flight.pop(event.app, None)
                self._say(f"{event.app}: again in {event.seconds:.0f} s: {event.reason}")
            case Finished():
                self._finished(event)
            case Summary():
                self._summary(event)
        self._show()

    def _finished(self, event: Finished) -> None:
        self._through += 1
        self._in_flight.pop(event.result.app, None)
        width = len(str(self._all))
        print(
            f"{self._through:>{width}}/{self._all} {_line(event.result)}",
            file=self._results,
            flush=True,
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=self._through)

    def _summary(self, summary: Summary) -> None:
        if not summary.results:
            for line in summary.notes:
                self._say(line)
        counts = summary.counts()
        what = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no apps"
        if self._bar is not None:
            self._bar.stop()
        took = f"; {summary.seconds:.1f} s" if summary.results else ""
        print(f"{summary.operation}: {what}{took}", file=self._results, flush=True)
        for each in summary.failed:
            if each.reason:
                self._say(f"{each.outcome}: {each.app}: {each.reason}")
        left = [each.app for each in summary.results if each.outcome == "not started"]
        if left:
            self._say(f"left: {', '.join(left)}")
        if summary.record:
            self._say(f"record: {summary.record}")

    def _show(self) -> None:
        if self._bar is not None and self._task is not None:
            named = [
                f"{app} {doing}".strip() for app, doing in list(self._in_flight.items())[:_NAMED]
            ]
            more = len(self._in_flight) - len(named)
            self._bar.update(
                self._task, description=", ".join(named) + (f" and {more} more" if more else "")
            )

    def _say(self, text: str) -> None:
        print(text, file=self._beside, flush=True)


def _line(result: Result) -> str:
    words = [result.app, result.outcome]
    if result.attempts:
        words.append(f"{result.seconds:.1f} s")
    if result.attempts > 1:
        words.append(f"{result.attempts} attempts")
    words += [f"{count} {op}" for op, count in result.changes.items()]
    line = "  ".join(words)
    if result.outcome in BAD and result.reason:
        line += f": {result.reason}"
    return line
