"""The statements that need no graph: ``RETURN`` of literals and parameters."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from localcloud.settings import NEO4J_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER_MISSING = "Neo.ClientError.Statement.ParameterMissing"
SYNTAX_ERROR = "Neo.ClientError.Statement.SyntaxError"
NO_GRAPH = "Neo.ClientError.Statement.UnsupportedOperationError"

_KEYWORD = re.compile(r"\s*RETURN\s+", re.IGNORECASE)
_ITEM = re.compile(
    r"""\s*(?P<expression>
        \$(?:(?P<parameter>\w+)|`(?P<quoted_parameter>[^`]+)`)
        | (?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)
        | '(?P<single>[^'\\]*)' | "(?P<double>[^"\\]*)"
        | (?P<word>true|false|null)\b
    )(?:\s+AS\s+(?:(?P<name>[^\W\d]\w*)|`(?P<quoted_name>[^`]+)`))?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_END = re.compile(r";?\s*\Z")
_INTEGERS = range(-(2**63), 2**63)
_INTEGER_DIGITS = 19
_WORDS = {"true": True, "false": False, "null": None}


class StatementError(Exception):
    """A statement that is not answered, with Neo4j's code for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def evaluate(statement: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return the columns and the one row of ``RETURN literal-or-$parameter [AS name], …``.

    A literal is an integer, a float, a string without backslashes, ``true``, ``false`` or ``null``.
    Raises StatementError: another statement, a parameter that is not given, two columns of one name.
    """
    keyword = _KEYWORD.match(statement)
    columns: list[str] = []
    row: list[Any] = []
    position = keyword.end() if keyword else -1
    while position >= 0:
        item = _ITEM.match(statement, position)
        if item is None:
            break
        columns.append(item["name"] or item["quoted_name"] or item["expression"])
        row.append(_value(item, parameters))
        position = item.end()
        if _END.match(statement, position):
            if len(set(columns)) < len(columns):
                raise StatementError(
                    SYNTAX_ERROR, "Multiple result columns with the same name are not supported."
                )
            return columns, [row]
        if statement[position] != ",":
            break
        position += 1
    raise StatementError(
        NO_GRAPH,
        "The local cloud has no graph behind its Aura instances: it answers RETURN of literals and parameters only. "
        f"Start it with {NEO4J_VARIABLE} to have queries answered by a Neo4j on this machine.",
    )


def _value(item: re.Match[str], parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a JSON value)
    name = item["parameter"] or item["quoted_parameter"]
    if name is not None:
        if name not in parameters:
            raise StatementError(PARAMETER_MISSING, f"Expected parameter(s): {name}")
        return parameters[name]
    if item["word"] is not None:
        return _WORDS[item["word"].lower()]
    if item["number"] is not None:
        return _number(item["number"])
    return item["single"] if item["single"] is not None else item["double"]


def _number(text: str) -> int | float:
    digits = text.lstrip("-")
    if not digits.isdigit():
        value = float(text)
        if not math.isfinite(value):
            raise StatementError(SYNTAX_ERROR, "floating point number is too large")
        return value
    # Python itself refuses to read a number of thousands of digits.
    if len(digits) > _INTEGER_DIGITS or int(text) not in _INTEGERS:
        raise StatementError(SYNTAX_ERROR, "integer is too large")
    return int(text)
