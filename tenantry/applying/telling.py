"""What is read of a run meanwhile: a line of progress on a terminal, plain lines in a log, JSON for a program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final, Self

from tenantry.planning.resources import kind_of
from tenantry.running.events import Said, Step, by_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenantry.running.events import Watch, Work

_NAMED: Final = 3
"""How many things at work the line of progress names."""
_DONE: Final = {"create": "created", "update": "updated", "delete": "deleted"}
_DOING: Final = {"create": "creating", "update": "updating", "delete": "deleting"}
_MINUTE: Final = 60


class Lines:
    """Plain lines on standard output, one for each thing that is done; what is wrong goes to standard error."""

    def __init__(self, watch: Watch, remaining: Callable[[], float | None]) -> None:
        """Tell nothing yet.

        :param remaining: seconds that are left; None where that is not known
        """
        self._watch = watch
        self._remaining = remaining

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def tell(self, happened: Step | Said) -> None:
        """Tell what just happened."""
        if isinstance(happened, Said):
            self._said(happened)
        elif happened.state == "done":
            self._out(
                f"{clock(self._watch.elapsed)}  {_DONE[happened.work.operation]} {what_of(happened.work)} "
                f"({happened.seconds:.1f} s{self._left()})"
            )
        elif happened.state == "failed":
            self._err(
                f"{clock(self._watch.elapsed)}  failed {_DOING[happened.work.operation]} {what_of(happened.work)}"
            )

    def _said(self, said: Said) -> None:
        if said.severity == "info":
            self._out(said.text)
        else:
            self._err(f"{said.severity}: {said.text}" if said.severity == "warning" else said.text)

    def _left(self) -> str:
        return f"; {text}" if (text := left_text(self._remaining())) else ""

    def _out(self, text: str) -> None:
        print(text, flush=True)

    def _err(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class Screen(Lines):
    """A terminal: one line of what is at work, with times, and a line for each app that is through."""

    def __init__(self, watch: Watch, remaining: Callable[[], float | None]) -> None:
        """Tell nothing yet; parameters as for `Lines`."""
        super().__init__(watch, remaining)
        self._open = {app: len(works) for app, works in by_app(watch.expected).items()}
        self._all = len(watch.expected)
        self._live: Any = None

    def __enter__(self) -> Self:
        """Show the line."""
        from rich.console import Console
        from rich.live import Live

        self._live = Live(get_renderable=self._line, console=Console(stderr=True), transient=True)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        self._live.stop()

    def tell(self, happened: Step | Said) -> None:
        """Tell what just happened; single steps only where no plan says when an app is through."""
        if isinstance(happened, Said) or happened.state == "failed" or not self._all:
            super().tell(happened)
        elif happened.state == "done":
            app = happened.work.app or ""
            if app in self._open and happened.work in self._watch.expected:
                self._open[app] -= 1
                if not self._open[app]:
                    self._out(f"{clock(self._watch.elapsed)}  {app or 'beside the apps'}: done")

    def _out(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    _err = _out

    def _line(self) -> Any:  # noqa: ANN401 rich's
        from rich.text import Text

        at_work = self._watch.in_flight
        named = [
            f"{_DOING[work.operation]} {what_of(work)} {clock(seconds)}"
            for work, seconds in at_work[:_NAMED]
        ]
        more = len(at_work) - len(named)
        parts = [
            clock(self._watch.elapsed),
            f"{len(self._watch.took)} of {self._all}" if self._all else "",
            left_text(self._remaining()),
            ", ".join(named) + (f" and {more} more" if more else ""),
        ]
        return Text("  ".join(each for each in parts if each), no_wrap=True, overflow="ellipsis")


class Objects(Lines):
    """One JSON object a line on standard output."""

    def tell(self, happened: Step | Said) -> None:
        """Tell what just happened."""
        if isinstance(happened, Said):
            tell_object("said", severity=happened.severity, text=happened.text)
            return
        remaining = self._remaining()
        tell_object(
            "step",
            **as_json(happened.work),
            state=happened.state,
            seconds=round(happened.seconds, 2),
            elapsed=round(self._watch.elapsed, 2),
            remaining=None if remaining is None else round(remaining, 1),
        )


def tell_object(event: str, **facts: object) -> None:
    """Print one JSON object on one line."""
    print(json.dumps({"event": event, **facts}), flush=True)


def as_json(work: Work) -> Mapping[str, object]:
    """Give work as JSON: `app` (null beside the apps), `operation`, `kind`, `name`."""
    return {
        "app": work.app,
        "operation": work.operation,
        "kind": kind_of(work.type).word,
        "name": work.name,
    }


def what_of(work: Work) -> str:
    """Name the resource in words: `project acme/web`."""
    return f"{kind_of(work.type).word} {work.name}"


def clock(seconds: float) -> str:
    """Write a length of time: `7.3 s`, `42 s`, `3 min 05 s`."""
    if seconds < 10:  # noqa: PLR2004 below that a second says too little
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // _MINUTE} min {int(seconds) % _MINUTE:02} s"


def left_text(remaining: float | None) -> str:
    """Say what is left: `about 20 s left`; nothing where that is not known."""
    if remaining is None:
        return ""
    return f"about {clock(max(round(remaining), 1)).replace('.0', '')} left"


def counts_text(counts: Mapping[str, int], nothing: str = "nothing to change") -> str:
    """Say how many resources had each operation: `26 created, 1 deleted`.

    :param nothing: what is said where none had any
    """
    said = [
        f"{counts[each]} {_DONE[each]}"
        for each in ("create", "update", "delete")
        if counts.get(each)
    ]
    return ", ".join(said) or nothing


def left_lines(watch: Watch) -> list[str]:
    """Say what a run left undone, a line for each app."""
    return [
        f"left: {app or 'beside the apps'}: {_listed(works)}"
        for app, works in sorted(by_app(watch.left).items())
    ]


def _listed(works: list[Work]) -> str:
    named = [f"{work.operation} {what_of(work)}" for work in works[:_NAMED]]
    more = len(works) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
