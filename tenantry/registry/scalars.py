"""What a plain scalar of YAML stands for: the core schema of YAML 1.2, and not PyYAML's YAML 1.1.

`on`, `no` and `1:30` are text, `017` and `0x1F` are text (a reader of YAML 1.1 would see other numbers), and dates are
text.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Mapping

# At most as many digits as a float has. A larger number is text, and so is a larger float (`1e999`).
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,307})", re.ASCII)
_FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII
)


@final
class Empty:
    """The value of a key with nothing behind it (`database:`), `~` or `null`."""

    def __repr__(self) -> str:
        return "nothing"


EMPTY: Final = Empty()
_CONSTANTS: Final[Mapping[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), EMPTY),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@lru_cache(maxsize=4096)
def resolve(text: str) -> object:
    """Return what a plain scalar stands for: a number, true or false, nothing, or the text itself."""
    if text[:1].isalpha() and text[:1] not in "nNtTfF":
        return text  # most scalars: names
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
