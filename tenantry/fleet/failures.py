"""Why an app's run failed, and whether it is tried again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["busy", "passing", "lasting", "stopped"]
"""`busy`: another run holds the stack; `passing`: it may go well a little later; `lasting`: somebody must do something;
`stopped`: it was asked to end."""

_LINE: Final = 400
"""Characters of a reason in a summary."""
_LOCKED: Final = re.compile(r"the stack is currently locked by \d+ lock")
# What servers and networks say when they will be back: words of Neon's plugin, Aura's client, libpq, Go and Python.
_PASSING: Final = re.compile(
    r"answered (?:423|429|50[0234])\b|no answer: |Too Many Requests|Service Unavailable|Bad Gateway|"
    r"[Cc]onnection (?:refused|reset|timed out|closed)|server closed the connection|[Tt]imed? ?out|deadline exceeded|"
    r"no such host|[Tt]emporary failure in name resolution|unexpected EOF|broken pipe|"
    r"the database system is (?:starting up|shutting down)|too many (?:connections|clients)|deadlock detected|"
    r"could not obtain lock|is not ready after"
)
# These two are on top of what is wrong, and say nothing of it.
_EMPTY: Final = re.compile(r"update failed|preview failed|refresh failed|destroy failed")


@dataclass(frozen=True)
class Failure:
    """What went wrong with one app."""

    kind: Kind
    reason: str
    """One line."""


def failure(errors: Sequence[str], *, interrupted: bool = False) -> Failure:
    """Judge what the engine, the program and the providers said.

    :param errors: at least one text, each of one line or more
    :param interrupted: whether the run was asked to end
    """
    texts = [text for text in errors if not _EMPTY.fullmatch(text.strip())] or list(errors)
    reason = _one_line(texts[0] if texts else "")
    everything = "\n".join(texts)
    if _LOCKED.search(everything):
        return Failure("busy", reason)
    if interrupted:
        return Failure("stopped", reason)
    # One that lasts is enough: the next attempt would end with it.
    passing = bool(texts) and all(_PASSING.search(text) for text in texts)
    return Failure("passing" if passing else "lasting", reason)


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A list of errors begins with their number: "1 error occurred:".
    if len(lines) > 1 and re.fullmatch(r"\d+ errors? occurred:", lines[0]):
        lines = lines[1:]
    line = lines[0].removeprefix("* ").removeprefix("error: ") if lines else "no reason was given"
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"
