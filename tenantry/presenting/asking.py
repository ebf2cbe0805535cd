"""Questions to whoever sits at the terminal: on standard error, so that a result can be piped."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from tenantry.presenting.printing import fail

if TYPE_CHECKING:
    from collections.abc import Sequence


def somebody_is_there() -> bool:
    """Tell whether there is a terminal to ask on."""
    return sys.stdin.isatty()


def agree(question: str, *, otherwise: str = "nothing was changed") -> None:
    """Ask a question; end with exit code 1 where the answer is no.

    :param otherwise: what is said then
    """
    if not typer.confirm(question, err=True):
        fail(otherwise)


def agree_to_begin(what: str, verb: str, *, otherwise: str = "nothing was changed") -> None:
    """Ask whether a run begins; end with exit code 1 where the answer is no, or nobody can be asked.

    :param what: what the run would do
    :param verb: the question after it, such as "Begin"
    :param otherwise: what is said after a no
    """
    if not somebody_is_there():
        fail(f"{what}: nobody is there to be asked: --yes begins without")
    agree(f"{what}. {verb}?", otherwise=otherwise)


def agree_by_name(names: Sequence[str]) -> None:
    """Have the names of what goes typed in; end with exit code 1 where something else is typed."""
    said = " ".join(names)
    if typer.prompt(f"Type {said} to go on", err=True).strip() != said:
        fail("nothing was changed")
