"""Durations and sizes with units: `500ms`, `30s`, `7d`, `512MB`, `8GB`.

The unit is always written: a bare number means seconds to one reader and milliseconds to another. A quantity is one
whole number and one unit. Sizes are powers of 1024, as in PostgreSQL's settings (PostgreSQL documentation, "Setting
Parameters: Parameter Names and Values").
"""

import re
from typing import Final

from tenantry.errors import shown

MILLISECONDS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
BYTES: Final = {"kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}

# Twelve digits: every product fits into 64 bits, and int() never meets its own limit of digits.
_QUANTITY: Final = re.compile(r"(?P<number>[0-9]{1,12})(?P<unit>[A-Za-z]+)", re.ASCII)
DURATION_PATTERN: Final = f"^[0-9]{{1,12}}({'|'.join(MILLISECONDS)})$"
SECONDS_PATTERN: Final = f"^[0-9]{{1,12}}({'|'.join(list(MILLISECONDS)[1:])})$"
SIZE_PATTERN: Final = f"^[0-9]{{1,12}}({'|'.join(BYTES)})$"


def parse_duration(text: str, *, example: str = "30s") -> int:
    """Return the milliseconds that `text` (`500ms`, `30s`, `5m`, `6h`, `7d`, `2w`) stands for.

    Raises ValueError, with the form that is wanted, for anything else.
    """
    return _parse(text, MILLISECONDS, "a duration", example)


def format_duration(milliseconds: int) -> str:
    """Return the shortest exact text that `parse_duration` reads as `milliseconds` (0 or more)."""
    return _format(milliseconds, MILLISECONDS, "s")


def parse_size(text: str) -> int:
    """Return the bytes that `text` (`512MB`, `8GB`) stands for; units are powers of 1024.

    Raises ValueError, with the form that is wanted, for anything else.
    """
    return _parse(text, BYTES, "a size", "8GB")


def format_size(size: int) -> str:
    """Return the shortest exact text that `parse_size` reads as `size` bytes (whole kB)."""
    return _format(size, BYTES, "kB")


def _parse(text: str, units: dict[str, int], kind: str, example: str) -> int:
    match = _QUANTITY.fullmatch(text)
    if match and match["unit"] in units:
        return int(match["number"]) * units[match["unit"]]
    wanted = f'write a whole number and a unit ({", ".join(units)}), such as "{example}"'
    spaced = _QUANTITY.fullmatch(text.replace(" ", ""))
    lower = {unit.lower(): unit for unit in units}
    if spaced and (unit := lower.get(spaced["unit"].lower())):
        wanted += f' (did you mean "{int(spaced["number"])}{unit}"?)'
    raise ValueError(f"{shown(text)} is not {kind}: {wanted}")


def _format(amount: int, units: dict[str, int], zero: str) -> str:
    if amount == 0:
        return f"0{zero}"
    unit, factor = next((u, f) for u, f in reversed(units.items()) if amount % f == 0)
    return f"{amount // factor}{unit}"
