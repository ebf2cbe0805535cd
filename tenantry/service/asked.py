"""An app of a row as the registry of today makes it, and what is wrong with one that is asked for, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenantry.registry.asked import AskedError, asked_app, row_app
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tenantry.registry import App, Registry
    from tenantry.registry.asked import AskedProblem
    from tenantry.selfservice.specs import Spec


def app_of(registry: Registry, app: Spec) -> App:
    """Return the app of a row.

    :raises ProblemError: 409: the registry has not what the row needs any more
    """
    try:
        return row_app(registry, app.row)
    except AskedError as error:
        raise ProblemError(
            409,
            "not-valid-any-more",
            "The app is not valid any more",
            "; ".join(each.message for each in error.problems),
            errors=[
                {"pointer": f"#{each.pointer}", "detail": each.message} for each in error.problems
            ],
        ) from None


def checked(
    registry: Registry,
    *,
    tenant: str,
    name: str,
    plan: str,
    overrides: Mapping[str, Any],
    fields: Mapping[str, str],
) -> App:
    """Return the app that is asked for.

    :param fields: what a part of it is called in the request: `{"/name": "/app_name"}`
    :raises ProblemError: 422: a value is wrong; 403: it is not for this tenant; 409: the file has the name
    """
    try:
        return asked_app(registry, tenant=tenant, name=name, plan=plan, overrides=overrides)
    except AskedError as error:
        raise _problem(error.problems, fields) from None


def _problem(found: tuple[AskedProblem, ...], fields: Mapping[str, str]) -> ProblemError:
    kinds = {each.kind for each in found}
    detail = "; ".join(f"{_field(each.pointer, fields)[1:]}: {each.message}" for each in found)
    errors = [
        {"pointer": f"#{_field(each.pointer, fields)}", "detail": each.message} for each in found
    ]
    if "value" in kinds:
        return ProblemError(
            422, "invalid-request", "The request is not valid", detail, errors=errors
        )
    if "not allowed" in kinds:
        return ProblemError(
            403, "not-offered", "This is not offered to the tenant", detail, errors=errors
        )
    return ProblemError(409, "name-taken", "The name is taken", detail, errors=errors)


def _field(pointer: str, fields: Mapping[str, str]) -> str:
    for own, asked in fields.items():
        if pointer == own or pointer.startswith(f"{own}/"):
            return asked + pointer.removeprefix(own)
    return pointer
