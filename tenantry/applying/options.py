"""Which options of `pulumi up` a run takes, and which of them each of its parts gets."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from tenantry.applying.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SHOWING: Final = frozenset(
    {"--color", "--diff", "--show-full-output", "--suppress-outputs", "--suppress-progress"}
)
"""They change what pulumi shows, of which nothing is shown here."""
_HARMLESS: Final = _SHOWING | {"--parallel"}
"""Those, and what changes how fast it goes: none of them changes what is done."""
_SKIP: Final = "--skip-preview"
_YES: Final = frozenset({"--yes", "-y"})
_APPLYING: Final = _YES | {_SKIP, "--continue-on-error"}
"""`pulumi preview` does not know them."""
_STACK: Final = "choose the stack with PULUMI_STACK, or pulumi stack select"
_JSON: Final = "say it before --: tenantry up --json"
_REFUSED: Final = {"--stack": _STACK, "-s": _STACK, "--json": _JSON, "-j": _JSON}


def check_options(options: Sequence[str], *, reviewed: bool) -> None:
    """Refuse what a run cannot take.

    :param reviewed: the run applies a plan that was reviewed, and nothing else
    :raises OptionError: with the option and what to do instead
    """
    for each in options:
        name = each.partition("=")[0]
        if name in _REFUSED:
            raise OptionError(f"{each}: {_REFUSED[name]}")
        if reviewed and name not in _HARMLESS:
            raise OptionError(
                f"{each}: not with --plan, which applies what was reviewed and nothing else"
            )


def seconds_of(text: str) -> float:
    """Read for how long another run is waited for: `90s`, `10m`, seconds without a unit, or `forever`.

    :raises OptionError: it is neither
    """
    if text == "forever":
        return inf
    if text.isascii() and text.isdigit():
        return float(text)
    from tenantry.registry.units import parse_duration

    try:
        return parse_duration(text, example="10m") / 1000
    except ValueError as error:
        raise OptionError(f"--wait: {error}, or forever") from None


def skips_plan(options: Collection[str]) -> bool:
    """Tell whether the run is to begin without a plan."""
    return _SKIP in options


def for_preview(options: Sequence[str]) -> list[str]:
    """Return what a preview gets of a run's options."""
    return _without(options, _SHOWING | _APPLYING)


def for_update(options: Sequence[str]) -> list[str]:
    """Return what the update itself gets of a run's options."""
    return _without(options, _SHOWING | _YES | {_SKIP})


def _without(options: Sequence[str], names: Collection[str]) -> list[str]:
    left, value = [], False
    for each in options:
        if value:
            value = False
        elif each.partition("=")[0] in names:
            value = each == "--color"
        else:
            left.append(each)
    return left
