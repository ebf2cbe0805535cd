"""What can be done from the page: each is a form that asks first, and is written to the audit.

The API's own routes do it, so a form can do no more than a request with the same scopes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from tenantry.pages.app_view import find
from tenantry.pages.looks import MOST_PLANNED
from tenantry.pages.runs_view import run_id
from tenantry.pages.visits import Visit, for_visitors
from tenantry.selfservice import audit, operations, specs
from tenantry.selfservice.database import connection, transaction
from tenantry.service.access import check_operation
from tenantry.service.changing import rotate_app
from tenantry.service.creating import create
from tenantry.service.documents import AppRequest
from tenantry.service.operations import cancel_operation, retry_operation
from tenantry.service.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Final = ("app_name", "tenant", "plan", "region")
_KEY: Final = "key"
"""A form's field: a form that is sent twice is carried out once."""


@dataclass(frozen=True)
class Question:
    """What a form asks before it does something."""

    title: str
    lines: tuple[str, ...]
    """What will happen."""
    button: str
    back: str
    """Where who does not want it goes."""
    fields: Mapping[str, str] = field(default_factory=dict)


@for_visitors("apps:write")
async def retry(visit: Visit) -> Response:
    """Try an operation again."""
    async with connection(visit.parts.connections) as one:
        found = check_operation(
            visit.session.caller, visit.parts, await operations.get(one, run_id(visit))
        )
    if visit.request.method == "POST":
        await visit.form()
        return _to_run(await retry_operation(found.id, visit.parts, visit.asking))
    reason = (f"Its last attempt ended so: {found.error_text}",) if found.error_text else ()
    return _asked(
        visit,
        Question(
            f"Try {found.kind} of {found.app_id} again?",
            (*reason, "A worker begins as soon as one is free."),
            "Try again",
            f"/runs/{found.id}",
        ),
    )


@for_visitors("apps:write")
async def cancel(visit: Visit) -> Response:
    """End an operation."""
    async with connection(visit.parts.connections) as one:
        found = check_operation(
            visit.session.caller, visit.parts, await operations.get(one, run_id(visit))
        )
    if visit.request.method == "POST":
        await visit.form()
        return _to_run(await cancel_operation(found.id, visit.parts, visit.asking))
    return _asked(
        visit,
        Question(
            f"Cancel {found.kind} of {found.app_id}?",
            (
                "One that waits ends at once, one that is under way after its current steps.",
                "What it has made stays, and the next operation goes on from there.",
            ),
            "Cancel it",
            f"/runs/{found.id}",
        ),
    )


@for_visitors("apps:write")
async def rotate(visit: Visit) -> Response:
    """Give an app that was asked for another login."""
    row = find(visit, await visit.site.snapshots.current())
    if row.row is None:
        raise ProblemError(
            409,
            "of-the-file",
            "The app is declared in the file",
            f"its login is rotated there: tenantry rotate {row.app} --write",
        )
    if visit.request.method == "POST":
        key = (await visit.form()).get(_KEY) or None
        return _to_run(await rotate_app(UUID(row.row), visit.parts, visit.asking, key))
    return _asked(
        visit,
        Question(
            f"Rotate the login of {row.app}?",
            (
                "It gets another login with a new password, which the API hands out.",
                "The one before goes on working until the next rotation.",
            ),
            "Rotate it",
            f"/apps/{row.app}",
            {_KEY: secrets.token_urlsafe(16)},
        ),
    )


@for_visitors("apps:write")
async def ask(visit: Visit) -> Response:
    """Ask for an app."""
    registry = await visit.parts.offers.registry()
    offered = visit.parts.offers.offered
    given: dict[str, str] = {}
    problems: list[str] = []
    if visit.request.method == "POST":
        given = dict(await visit.form())
        values = {name: given.get(name, "").strip() or None for name in _FIELDS}
        try:
            wanted = AppRequest.model_validate(values)
            made = await create(visit.parts, visit.asking, wanted, given.get(_KEY) or None)
        except ValidationError:
            problems = ["Give the app a name of 200 characters at most."]
        except ProblemError as error:
            problems = _lines(error)
        else:
            async with connection(visit.parts.connections) as one:
                spec = await specs.get(one, made)
            visit.site.snapshots.forget()
            return RedirectResponse(f"/apps/{spec.app_id}" if spec else "/", 303)
    tenants = {
        label: asker
        for label, asker in offered.tenants.items()
        if visit.whole_fleet or label == visit.tenant
    }
    return visit.page(
        "ask_for_app.html",
        422 if problems else 200,
        tenants=tenants,
        plans=sorted({plan for asker in tenants.values() for plan in asker.plans}),
        regions=offered.regions,
        names={each.label: each.name for each in registry.tenants},
        given=given,
        problems=problems,
        # Another name is another request.
        key=secrets.token_urlsafe(16),
    )


@for_visitors("fleet:admin")
async def look_for_drift(visit: Visit) -> Response:
    """Ask the clouds for what differs."""
    if visit.request.method == "POST":
        await visit.form()
        if visit.site.looks.begin("drift", visit.session.actor):
            await _note(visit, "fleet.drift", visit.parts.namespace)
        return RedirectResponse("/findings", 303)
    return _asked(
        visit,
        Question(
            "Look for drift now?",
            (
                "The clouds are asked for their lists, in a handful of requests, and compared with the states.",
                "Nothing is changed, and no database is woken.",
            ),
            "Look",
            "/findings",
        ),
    )


@for_visitors("fleet:admin")
async def look_for_plan(visit: Visit) -> Response:
    """Plan the apps that were chosen."""
    if visit.request.method == "GET":
        return RedirectResponse("/plan", 303)
    fields = await visit.form()
    known = (await visit.site.snapshots.current()).by_id
    apps = sorted(
        name.removeprefix("app:")
        for name in fields
        if name.startswith("app:") and name.removeprefix("app:") in known
    )
    if not 0 < len(apps) <= MOST_PLANNED:
        raise ProblemError(
            422, "apps", "Choose apps", f"choose 1 to {MOST_PLANNED} apps, and plan them"
        )
    if visit.site.looks.begin("plan", visit.session.actor, apps):
        await _note(visit, "fleet.plan", visit.parts.namespace)
    return RedirectResponse("/plan", 303)


def _lines(error: ProblemError) -> list[str]:
    """Return what is wrong, a line for each field; the problem's own words where it names none."""
    errors = error.extensions.get("errors")
    found = [str(each["detail"]) for each in errors] if isinstance(errors, list) else []
    return found or [error.reason]


def _asked(visit: Visit, question: Question) -> Response:
    return visit.page("question.html", question=question)


def _to_run(answer: Response) -> Response:
    """Lead to the operation that an answer of the API names."""
    return RedirectResponse(f"/runs/{answer.headers['location'].rpartition('/')[2]}", 303)


async def _note(visit: Visit, action: str, about: str) -> None:
    asking = visit.asking
    async with transaction(visit.parts.connections) as one:
        await audit.note(
            one,
            actor=asking.actor,
            action=action,
            object=about,
            origin=asking.origin,
            request_id=asking.request_id,
        )
