"""The arguments and options that several commands take."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Concatenate, Final, TypeVar, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")

AppId = Annotated[str, typer.Argument(metavar="APP", help="The app: tenant/app.")]
File = Annotated[Path, typer.Argument(help="The registry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AsArray = Annotated[bool, typer.Option("--json", help="Print one JSON array.")]
AsLines = Annotated[
    bool, typer.Option("--json", help="Print one JSON object a line, as it happens.")
]
Wait = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="Where another run holds the stack, wait for it at most so long: 90s, 10m, or forever.",
    ),
]
REGISTRY: Final = Path("tenants.yaml")


def takes(
    options: type[Options],
) -> Callable[[Callable[Concatenate[Options, ...], None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as options, before its own.

    The command gets the dataclass as its first argument. Typer reads options from a function's signature, and has no
    other way to share a list of them.

    :param options: each field is annotated as an option, and has a default
    """

    def decorate(command: Callable[Concatenate[Options, ...], None]) -> Callable[..., None]:
        def run(**given: object) -> None:
            shared = {each.name: given.pop(each.name) for each in fields(options)}
            command(options(**shared), **given)

        hints = get_type_hints(options, include_extras=True)
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        shared = [
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=each.default,
                annotation=hints[each.name],
            )
            for each in fields(options)
        ]
        run.__doc__ = command.__doc__
        run.__name__ = command.__name__
        # Arguments come before options.
        every = sorted([*shared, *own], key=lambda each: each.kind)
        run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]  # Python reads it
        run.__annotations__ = {each.name: each.annotation for each in every}
        return run

    return decorate
