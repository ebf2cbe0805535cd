"""Durations with a unit, such as `30s`."""

from collections.abc import Callable

from tenantry.errors import shown
from tenantry.registry import units
from tenantry.registry.written.rules import RuleError, wrong_kind


def duration(
    least: int, most: int, *, example: str, unit: str = "ms", never: int | None = None
) -> Callable[[object], int]:
    """Make a validator of durations; `least`, `most` and the result are in `unit` (`ms` or `s`).

    With `never`, the word `never` is allowed and stands for that number.
    """
    factor = units.MILLISECONDS[unit]
    otherwise = ', or "never"' if never is not None else ""

    def validate(value: object) -> int:
        if never is not None and value == "never":
            return never
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise RuleError(
                f"{shown(value)} has no unit: write it with one of {', '.join(units.MILLISECONDS)}, "
                f'such as "{example}"{otherwise}'
            )
        if not isinstance(value, str):
            raise RuleError(wrong_kind(f'a duration such as "{example}"{otherwise}', value))
        try:
            amount, rest = divmod(units.parse_duration(value, example=example), factor)
        except ValueError as error:
            raise RuleError(f"{error}{otherwise}") from None
        if rest or not least <= amount <= most:
            limits = " to ".join(units.format_duration(n * factor) for n in (least, most))
            whole = " in whole seconds" if rest else ""
            raise RuleError(f"{shown(value)} is out of range: {limits}{whole}{otherwise}")
        return amount

    return validate
