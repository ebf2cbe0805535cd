"""Why an app's run failed, and whether it is tried again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tenantry.errors import unmarked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenantry.errors import TenantryError

Kind = Literal["busy", "passing", "lasting", "stopped"]
"""`busy`: another run holds the stack; `passing`: it may go well a little later; `lasting`: somebody must do something;
`stopped`: it was asked to end."""

_LINE: Final = 400
"""Characters of a reason in a summary."""
# The engine's own words (3.259: `backend/diy/lock.go`, and `plugin.go` of the SDK).
# `tests/engine/test_failures.py` holds it to them.
_LOCKED: Final = re.compile(r"^lock \[", re.MULTILINE)
"""As `tenantry.running.words` has it."""
_NOT_STARTED: Final = re.compile(
    r"did not begin responding to RPC connections|could not read plugin \["
)
# These lines stand beside the failure, and say nothing about it.
_EMPTY: Final = re.compile(
    r"(update|preview|refresh|destroy) failed|Detected that \S+ exited prematurely\..*", re.DOTALL
)


@dataclass(frozen=True)
class Failure:
    """What went wrong with one app."""

    kind: Kind
    reason: str
    """One line."""


def failure(errors: Sequence[str], *, interrupted: bool = False, may_pass: bool = False) -> Failure:
    """Judge what the engine, the program and the providers said.

    Providers mark what may pass (`tenantry.errors.marked`). What has no mark lasts, except where the engine itself
    says that the stack is locked or that a plugin did not start.

    :param errors: at least one text, each of one line or more
    :param interrupted: whether the run was asked to end
    :param may_pass: whether that is known of them all
    """
    texts = [text for text in errors if not _EMPTY.fullmatch(text.strip())] or list(errors)
    judged = [unmarked(text) for text in texts]
    reason = _one_line(judged[0][0] if judged else "")
    if any(_LOCKED.search(text) for text in texts):
        return Failure("busy", reason)
    if interrupted:
        return Failure("stopped", reason)
    # One failure that lasts is enough: the next attempt would end with it again.
    passing = may_pass or (
        bool(judged) and all(marked or _NOT_STARTED.search(text) for text, marked in judged)
    )
    return Failure("passing" if passing else "lasting", reason)


def kind_of(error: TenantryError) -> Kind:
    """Judge a failure of our own, which no engine was between."""
    return "passing" if error.may_pass else "lasting"


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A list of errors begins with their number: "1 error occurred:".
    if len(lines) > 1 and re.fullmatch(r"\d+ errors? occurred:", lines[0]):
        lines = lines[1:]
    line = lines[0].removeprefix("* ").removeprefix("error: ") if lines else "no reason was given"
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"
