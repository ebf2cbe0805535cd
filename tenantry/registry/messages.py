"""What an operator reads where a value does not fit what may be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from tenantry.errors import did_you_mean, shown
from tenantry.registry.scalars import EMPTY
from tenantry.registry.written.mapping import Written
from tenantry.registry.written.rules import NotTextError, wrong_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

    from tenantry.registry.document import Path

_KINDS: Final = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list"}


def is_about_key(error: ErrorDetails) -> bool:
    """Tell whether a key breaks a rule, and not its value."""
    # pydantic ends the place of a key that breaks a rule with this step; a key may also be called so.
    return error["type"] == "value_error" and error["loc"][-1:] == ("[key]",)


def path_of(error: ErrorDetails) -> Path:
    """Return the place of an error, from the root."""
    return error["loc"][:-1] if is_about_key(error) else error["loc"]


def message(
    error: ErrorDetails, path: Path, root: type[Written], written: Callable[[Path], str]
) -> str:
    """Say what is wrong.

    :param path: the error's place
    :param root: the model that was checked
    :param written: returns a plain scalar as it is written, before it became a number
    """
    match error["type"]:
        case "missing":
            return _missing(path)
        case "extra_forbidden":
            known = keys_beside(path, root)
            hint = did_you_mean(str(path[-1]), known)
            return f"is not a key here: write one of {', '.join(known)}{hint}"
        case "value_error":
            reason = error["ctx"]["error"]
            if isinstance(reason, NotTextError):
                return f'must be text, not {reason}: write it in quotes, "{written(path)}"'
            return str(reason)
        case kind if error["input"] is EMPTY:
            return _empty(path, _KINDS[kind])
        case kind:
            return wrong_kind(_KINDS[kind], error["input"])


def _missing(path: Path) -> str:
    match path:
        case ("version",):
            return 'is missing: the file starts with "version: 1"'
        case ("tenants",):
            return (
                'is missing: the file may be cut off; a registry without tenants says "tenants: {}"'
            )
        case ("tenants", _, "apps"):
            return 'is missing: the file may be cut off; a tenant without apps says "apps: {}"'
        case _:
            return "is missing: write it"


def _empty(path: Path, wanted: str) -> str:
    brackets = "{}" if wanted == "a mapping" else "[]"
    match path:
        case ("tenants",):
            remedy = 'a registry without tenants says "tenants: {}"'
        case ("tenants", _):
            remedy = 'a tenant has at least "apps: {}"'
        case ("tenants", _, "apps"):
            remedy = 'a tenant without apps says "apps: {}"'
        case ("tenants", _, "apps", app):
            remedy = f"an app that takes every default is written {shown(f'{app}: {{}}')}"
        case (*_, str(key)):
            remedy = f"write {shown(f'{key}: {brackets}')} to add nothing, or delete the key"
        case _:
            remedy = "write the item, or delete it"
    return f"is empty: the file may be cut off here; {remedy}"


def keys_beside(path: Path, root: type[Written]) -> list[str]:
    """Return the keys that the format knows where the last step of `path` stands."""
    model: Any = root
    for step in path[:-1]:
        if isinstance(model, type) and issubclass(model, Written):
            fields = model.model_fields
            model = next(f.annotation for n, f in fields.items() if step in (n, f.alias))
        else:
            model = get_args(model)[-1]
        while get_origin(model) not in {None, dict, list}:
            model = get_args(model)[0]  # X of `X | None` and of `Annotated[X, …]`
    return [field.alias or name for name, field in model.model_fields.items()]
