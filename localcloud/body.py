"""Request bodies: how they are read, and what is told of one that is not as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails
    from starlette.requests import Request


class Body(BaseModel):
    """A body, or a part of one. Unknown fields are ignored, as clients older and newer than the document send them."""

    model_config = ConfigDict(strict=True, defer_build=True)

    def given(self) -> dict[str, Any]:
        """Return what the client sent, with nothing filled in and no nulls."""
        return self.model_dump(exclude_unset=True, exclude_none=True)


B = TypeVar("B", bound=BaseModel)


async def read(
    request: Request,
    model: type[B],
    refusal: Callable[[list[ErrorDetails]], Exception],
    *,
    optional: bool = False,
) -> B:
    """Read and check a request's body. ``optional``: an empty one counts as ``{}``.

    Raises what ``refusal`` makes of the errors, which hold no value of the body.
    """
    raw = await request.body()
    if not raw and optional:
        raw = b"{}"
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False, include_context=False)
        raise refusal(details) from error
