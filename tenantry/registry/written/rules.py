"""What every kind of value has: a rule that checks it here, and the same rule as JSON Schema for editors.

A rule's check turns a written value into a plain one, or raises RuleError with the text that the operator reads.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from tenantry.errors import did_you_mean, shown
from tenantry.registry.names import LABEL
from tenantry.registry.scalars import Empty

JsonSchema: TypeAlias = dict[str, Any]
MAX_INT: Final = 2_147_483_647
"""PostgreSQL's and Neon's largest setting of these kinds (int32)."""


class RuleError(ValueError):
    """A value that is refused. Its text is what the operator reads."""


class NotTextError(RuleError):
    """A number, true or false where text is wanted: the loader knows how it is written in the file."""


def text(value: object) -> str:
    """Return a text as it is. Raises NotTextError or RuleError for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise NotTextError(shown(value))
    raise RuleError(wrong_kind("text", value))


def wrong_kind(wanted: str, value: object) -> str:
    """Say that `value` is not of the kind that is wanted."""
    if isinstance(value, Empty):
        return f"is empty, where {wanted} is wanted: write it, or leave it out"
    word = wanted == "a list" and isinstance(value, str) and LABEL.fullmatch(value)
    hint = f": write it in brackets, [{value}]" if word else ""
    return f"must be {wanted}, not {shown(value)}{hint}"


def whole_number(least: int, most: int) -> Callable[[object], int]:
    """Make a validator of whole numbers from `least` to `most`."""

    def validate(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            quoted = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,20}", value)
            hint = ": write it in decimal, without quotes or leading zeros" if quoted else ""
            raise RuleError(wrong_kind("a whole number", value) + hint)
        if not least <= value <= most:
            raise RuleError(f"{shown(value)} is out of range: {least} to {most}")
        return value

    return validate


def number(least: float, most: float) -> Callable[[object], float]:
    """Make a validator of numbers from `least` to `most`."""

    def validate(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RuleError(wrong_kind("a number", value))
        if not least <= value <= most:
            raise RuleError(f"{shown(value)} is out of range: {least:g} to {most:g}")
        return float(value)

    return validate


def choice(*allowed: str) -> Callable[[object], str]:
    """Make a validator of one word out of `allowed`."""
    known = ", ".join(allowed)

    def validate(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        if isinstance(value, Empty):
            raise RuleError(f"is empty: write one of {known}, or leave it out")
        if shown(value) in allowed:
            raise NotTextError(shown(value))
        hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
        raise RuleError(f"{shown(value)} is not known: write one of {known}{hint}")

    return validate


def flag(value: object) -> bool:
    """Check true or false: YAML 1.2 has no other words for them."""
    if not isinstance(value, bool):
        raise RuleError(wrong_kind("true or false", value))
    return value


@dataclass(frozen=True, eq=False)
class Rule:
    """How one kind of value is checked here, and described to editors."""

    check: Callable[[object], object]
    schema: JsonSchema

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, _core: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchema:
        return dict(self.schema)


def literal(words: object) -> Rule:
    """Make the rule of one word out of those of a `Literal` type."""
    allowed = get_args(words)
    return Rule(choice(*allowed), {"type": "string", "enum": list(allowed)})


def integer(least: int, most: int) -> Rule:
    """Make the rule of a whole number from `least` to `most`."""
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Rule(whole_number(least, most), schema)


def decimal(least: float, most: float) -> Rule:
    """Make the rule of a number from `least` to `most`."""
    schema = {"type": "number", "minimum": least, "maximum": most}
    return Rule(number(least, most), schema)


def matching(check: Callable[[object], object], pattern: str, **more: object) -> Rule:
    """Make the rule of a text that passes `check`; `pattern` says the same to editors, and `more` adds to it."""
    return Rule(check, {"type": "string", "pattern": pattern, **more})


Generation = Annotated[int, integer(1, MAX_INT)]
Flag = Annotated[bool, Rule(flag, {"type": "boolean"})]
