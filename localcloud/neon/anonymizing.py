"""Branches with masked data. PostgreSQL Anonymizer (``anon``) is not here: rules give a value or a function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localcloud.neon import bodies
from localcloud.neon.access import branch_of, project_of
from localcloud.neon.branches import make_branch
from localcloud.neon.errors import ApiError, bad_request, not_here
from localcloud.neon.operations import Step
from localcloud.neon.routing import Routes, answer
from localcloud.neon.views import USER_NAME
from localcloud.records import Masking

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from localcloud.neon.cloud import Cloud
    from localcloud.records import Branch, Json, Record

_FUNCTION = re.compile(r"pg_catalog\.[a-z0-9_]+\([^;]*\)")
_STEP = Step("apply_config", {"kind": "anonymize"})
_BRANCH = "/projects/{project_id}/branches/{branch_id}"


async def create_anonymized(cloud: Cloud, request: Request) -> Response:
    """Make a branch that is to be masked, with rules, and mask it at once where asked."""
    project = project_of(cloud, request)
    wanted = await bodies.read(request, bodies.BranchAnonymizedCreateRequest)
    rules = _rules(wanted.masking_rules or [])

    def more(branch: Branch) -> tuple[list[Record], list[Step]]:
        now = cloud.clock.now()
        record = Masking(branch.id, rules, "initialized", now, now)
        if not wanted.start_anonymization:
            return [record], []
        _begin(cloud, record)
        return [record], [_step(branch)]

    body = wanted.branch_create or bodies.BranchCreateRequest()
    return answer(await make_branch(cloud, project, body, more), 201)


async def get_rules(cloud: Cloud, request: Request) -> Response:
    """Give the rules of a branch."""
    return answer({"masking_rules": _masking(cloud, branch_of(cloud, request)).rules})


async def update_rules(cloud: Cloud, request: Request) -> Response:
    """Give a branch other rules. They apply when it is masked next."""
    record = _masking(cloud, branch_of(cloud, request))
    wanted = await bodies.read(request, bodies.MaskingRulesUpdateRequest)
    record.rules = _rules(wanted.masking_rules)
    record.updated_at = cloud.clock.now()
    cloud.state.put(record)
    return answer({"masking_rules": record.rules})


async def get_status(cloud: Cloud, request: Request) -> Response:
    """How far the masking of a branch is."""
    branch = branch_of(cloud, request)
    return answer(_shown(branch, _masking(cloud, branch)))


async def start(cloud: Cloud, request: Request) -> Response:
    """Mask a branch by its rules."""
    branch = branch_of(cloud, request)
    record = _masking(cloud, branch)
    cloud.operations.check_unlocked(branch.project_id)
    _begin(cloud, record)
    with cloud.state.change() as change:
        change.put(record)
        cloud.operations.schedule(change, branch.project_id, [_step(branch)])
    return answer(_shown(branch, record))


def _step(branch: Branch) -> Step:
    return Step(_STEP.action, _STEP.task, branch.id)


def _begin(cloud: Cloud, record: Masking) -> None:
    now = cloud.clock.now()
    record.state, record.updated_at = "anonymizing", now
    record.last_run = {
        "started_at": now,
        "triggered_by": cloud.settings.user_id,
        "triggered_by_username": USER_NAME,
    }


def _rules(wanted: list[bodies.MaskingRule]) -> list[Json]:
    for rule in wanted:
        if (rule.masking_function is None) == (rule.masking_value is None):
            raise bad_request("a masking rule has either masking_function or masking_value")
        if rule.masking_function and not _FUNCTION.fullmatch(rule.masking_function):
            raise not_here("masking_function other than pg_catalog.NAME(...)")
    return [rule.given() for rule in wanted]


def _masking(cloud: Cloud, branch: Branch) -> Masking:
    record = cloud.state.masking.get(branch.id)
    if record is None:
        raise ApiError(404, "branch is not an anonymized branch")
    return record


def _shown(branch: Branch, record: Masking) -> Json:
    shown: Json = {
        "project_id": branch.project_id,
        "branch_id": branch.id,
        "state": "created" if branch.current_state != "ready" else record.state,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    for name in ("status_message", "failed_at", "last_run"):
        if value := getattr(record, name):
            shown[name] = value
    return shown


ROUTES: Routes = [
    ("POST", "/projects/{project_id}/branch_anonymized", create_anonymized),
    ("GET", _BRANCH + "/masking_rules", get_rules),
    ("PATCH", _BRANCH + "/masking_rules", update_rules),
    ("GET", _BRANCH + "/anonymized_status", get_status),
    ("POST", _BRANCH + "/anonymize", start),
]
