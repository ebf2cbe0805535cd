"""How a value reads in a plan: as it would be written in the registry, or as the engine shows it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tenantry.registry.units import format_duration, format_size

SECRET: Final = "[secret]"  # noqa: S105  # stands in the place of one
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's mark for what is known only once it is applied (Pulumi, `plugin.UnknownStringValue`)."""
_MARK: Final = "4dabf18193072939515e22adb298388d"
"""The key by which the engine marks a special value, a secret among them (Pulumi, `resource.SigKey`)."""

_MILLISECONDS: Final = re.compile(
    r"database\.(statement_timeout|idle_in_transaction_timeout)|retries\.\w+\.(first_delay|cap)"
)
_SECONDS: Final = re.compile(
    r"database\.(history_retention|compute\.suspend_after|quota\.(active_time|compute_time))"
)
_BYTES: Final = re.compile(r"database\.quota\.(written_data|data_transfer|logical_size)")
_NEVER: Final = -1
_USUAL: Final = (
    ("allow_downgrade", False),
    ("enabled", True),
    ("paused", False),
    ("protected", False),
    ("revision", "head"),
    ("snapshot_before_delete", False),
)
"""Defaults that nobody writes."""
_PLAIN: Final = re.compile(r"[\w@#./:+-][\w@#./:+ -]*")


def written(value: Any, field: str) -> str:  # noqa: ANN401  # any JSON value
    """Return a value of the registry as an operator writes it, on one line.

    :param value: in plain units, as `tenantry.registry.declared` gives it
    :param field: its path below the app, such as `database.statement_timeout`
    """
    if isinstance(value, dict):
        given = {
            key: each
            for key, each in value.items()
            if each not in (None, [], {}) and (key, each) not in _USUAL
        }
        inner = [f"{key}: {written(each, '.'.join((field, key)))}" for key, each in given.items()]
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list):
        return f"[{', '.join(_word(each, field) for each in value)}]"
    return _word(value, field)


def shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a resource's property on one line; secrets and what is not known yet by their marks."""
    return _visible(_bare(value))


def is_secret(value: object) -> bool:
    """Tell whether a value is the engine's stand-in for a secret."""
    return value == SECRET or (isinstance(value, dict) and _MARK in value)


def holds_unknown(value: object) -> bool:
    """Tell whether a value, or a part of it, is known only once it is applied."""
    if isinstance(value, dict):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return value == UNKNOWN


def _word(value: Any, field: str) -> str:  # noqa: ANN401  # any JSON value
    if isinstance(value, int) and not isinstance(value, bool):
        if _MILLISECONDS.fullmatch(field):
            return _duration(value)
        if _SECONDS.fullmatch(field):
            return "never" if value == _NEVER else _duration(value * 1000)
        if _BYTES.fullmatch(field):
            return format_size(value)
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.isprintable() else _visible(value)
    return (
        "none" if value is None else f"{value:g}" if isinstance(value, float) else json.dumps(value)
    )


def _duration(milliseconds: int) -> str:
    text = format_duration(milliseconds)
    # Days, as Neon's plans and the registry's page count them.
    return f"{int(text[:-1]) * 7}d" if text.endswith("w") else text


def _bare(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if is_secret(value):
        return SECRET
    if value == UNKNOWN:
        return "(known once it is applied)"
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_bare(each) for each in value]
    return value


def _visible(value: Any) -> str:  # noqa: ANN401  # any JSON value
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    # Control characters are escaped: a terminal or a page would act on them.
    return text if text.isprintable() else json.dumps(value, sort_keys=True)
