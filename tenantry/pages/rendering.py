"""Answers with a page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from tenantry.pages.templating import templates

if TYPE_CHECKING:
    from collections.abc import Mapping


def page(
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401  # whatever the template shows
) -> HTMLResponse:
    """Return a page.

    :param template: the name of its file
    """
    return HTMLResponse(
        templates().get_template(template).render(now=datetime.now(UTC), **values),
        status,
        {**(headers or {})},
    )
