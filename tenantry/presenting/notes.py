"""What is said beside a result: lines on standard error, or objects among those of `--json`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.recovery.looking import Looker
    from tenantry.states.state import StackState


def note(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def note_as_json(text: str) -> None:
    """Print a line as an object of `--json`."""
    from tenantry.applying.telling import tell_object

    tell_object("noted", text=text)


def say_what_is_there(looker: Looker, before: StackState) -> None:
    """Say on standard error what a run that failed has left, and the one command that goes on."""
    from tenantry.errors import TenantryError
    from tenantry.recovery.preparing import after_failure

    try:
        for line in after_failure(looker, before):
            note(line)
    except TenantryError as error:
        note(f"what is there now could not be seen: {error}")
        note("Next: tenantry doctor")
