"""An app that was asked for: made of a plan of the registry and of what was chosen with it.

Nothing of a plan is kept with the app, so a changed plan reaches its apps like any change of the registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import ValidationError

from tenantry.errors import TenantryError, did_you_mean, shown
from tenantry.registry import checks, models
from tenantry.registry.merging import given, merged
from tenantry.registry.messages import message, path_of
from tenantry.registry.offering import app_of_plan
from tenantry.registry.scalars import EMPTY
from tenantry.registry.written.asked import Asked
from tenantry.registry.written.rules import RuleError
from tenantry.registry.written.texts import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tenantry.registry.document import Path
    from tenantry.registry.self_service import Plan, SelfService

ROWS: Final = "catalog"
"""What messages call the place of an app that was asked for."""

Kind: TypeAlias = Literal["value", "taken", "not allowed"]


class AskedProblem(NamedTuple):
    """One thing that is wrong with what was asked for."""

    pointer: str
    """RFC 6901: `/tenant`, `/name`, `/plan`, or into the overrides (`/region`, `/api_keys/0/name`)."""
    message: str
    """One line, in the registry's words."""
    kind: Kind = "value"


class AskedError(TenantryError):
    """What was asked for cannot be had. `problems` holds all that is wrong with it."""

    def __init__(self, place: str, problems: Iterable[AskedProblem]) -> None:
        """Say what is wrong.

        :param place: whose row it is, or would be
        """
        self.problems: tuple[AskedProblem, ...] = tuple(dict.fromkeys(problems))
        super().__init__(
            "\n".join(f"{place}: {each.pointer}: {each.message}" for each in self.problems)
        )


@dataclass(frozen=True, slots=True)
class AskedRow:
    """An app as its row in the catalog says it."""

    id: str
    """Of the row: the `app_id` of the service."""
    tenant: str
    name: str
    plan: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """What lies above the plan, as written (`written.asked`)."""
    generation: int = 1
    """Counts the changes of the row."""
    deletion_requested: bool = False
    place: str = ROWS
    """What messages call the place of the row."""

    @property
    def app_id(self) -> str:
        """The app's id in the registry: `acme/web`."""
        return f"{self.tenant}/{self.name}"


def asked_app(
    registry: models.Registry,
    *,
    tenant: str,
    name: str,
    plan: str,
    overrides: Mapping[str, Any],
    place: str = ROWS,
) -> models.App:
    """Make the app that a caller asks for, or say everything that is wrong with it.

    That its tenant has asked for too many, and that another row has its name, is for the rows' keeper to find.

    :param overrides: what lies above the plan, as written: `{"region": "aws-us-east-2"}`
    :raises AskedError: the tenant may not ask for it, or it would be no valid app
    """
    problems: list[AskedProblem] = []
    offers = registry.self_service
    chosen = None
    if offers is None or tenant not in offers.tenants:
        text = f"{shown(tenant)} may not ask for apps: self_service.tenants in the registry says who may"
        problems.append(AskedProblem("/tenant", text, "not allowed"))
    else:
        chosen = _plan_for(offers, tenant, plan, problems)
    _check_name(registry, tenant, name, problems)
    values = _validated(overrides, problems)
    if offers and chosen:
        _check_region(offers.regions_of(chosen), values.get("region"), problems)
    if chosen is None or problems:
        raise AskedError(f"{place}: {tenant}/{name}", problems)
    row = AskedRow("", tenant, name, plan, overrides, place=place)
    return _made(registry, chosen, row, values)


def row_app(registry: models.Registry, row: AskedRow) -> models.App:
    """Make the app of a row that is there.

    Who may ask for what is not looked at: what was given once stays, also where its tenant may ask for no more of it.

    :raises AskedError: its plan or its tenant is gone, or it is not valid any more
    """
    problems: list[AskedProblem] = []
    plan = registry.self_service.plans.get(row.plan) if registry.self_service else None
    if plan is None:
        text = f"the plan {shown(row.plan)} is not in the registry (self_service.plans): put it back, or delete the app"
        problems.append(AskedProblem("/plan", text))
    values = _validated(row.overrides, problems)
    if plan is not None and not (plan.region or values.get("region")):
        problems.append(AskedProblem("/region", "is missing: the plan says none any more"))
    if plan is None or problems:
        raise AskedError(f"{row.place}: {row.app_id}", problems)
    return _made(registry, plan, row, values)


def _plan_for(
    offers: SelfService, tenant: str, plan: str, problems: list[AskedProblem]
) -> Plan | None:
    own = [name for name in offers.tenants[tenant].plans if name in offers.plans]
    if plan in own:
        return offers.plans[plan]
    # Another tenant's plans are not told.
    kind: Kind = "not allowed" if plan in offers.plans else "value"
    known = f"write one of {', '.join(own)}" if own else f"{tenant} has none"
    text = f"{shown(plan)} is not a plan of {tenant}: {known}{did_you_mean(plan, own)}"
    problems.append(AskedProblem("/plan", text, kind))
    return None


def _check_name(
    registry: models.Registry, tenant: str, name: str, problems: list[AskedProblem]
) -> None:
    try:
        label(name)
    except RuleError as error:
        problems.append(AskedProblem("/name", str(error)))
        return
    app_id = f"{tenant}/{name}"
    if registry.declares(app_id):
        text = f"{app_id} is in the registry's file already: write another name"
        problems.append(AskedProblem("/name", text, "taken"))
    elif now := registry.called_before(app_id):
        # The renamed app's database and roles have the names that go with this id.
        text = f"{app_id} is what {now} was called before: write another name"
        problems.append(AskedProblem("/name", text, "taken"))


def _check_region(regions: Sequence[str], region: str | None, problems: list[AskedProblem]) -> None:
    if region is None and regions:
        return
    if region not in regions:
        text = f"{shown(region)} is not offered: write one of {', '.join(regions)}"
        problems.append(AskedProblem("/region", text))


def _validated(overrides: Mapping[str, Any], problems: list[AskedProblem]) -> dict[str, Any]:
    """Return what was chosen in plain units; without what has a problem."""
    written = {key: _as_read(value) for key, value in overrides.items()}
    try:
        return given(Asked.model_validate(written))
    except ValidationError as error:
        errors = error.errors(include_url=False)
    for each in errors:
        path = path_of(each)
        text = (
            "is not for a caller to choose: the plan says it"
            if each["type"] == "extra_forbidden" and len(path) == 1
            else message(each, path, Asked, lambda at: str(_at(written, at)))
        )
        problems.append(AskedProblem(_pointer(path), text))
    bad = {path_of(each)[:1] for each in errors}
    left = {key: value for key, value in written.items() if (key,) not in bad}
    return given(Asked.model_validate(left))


def _as_read(value: object) -> object:
    """Return a JSON value as a file's would be: null is what is left empty."""
    match value:
        case None:
            return EMPTY
        case Mapping():
            return {key: _as_read(each) for key, each in value.items()}
        case list() | tuple():
            return [_as_read(each) for each in value]
        case _:
            return value


def _at(value: Any, path: Path) -> object:  # noqa: ANN401  # any JSON value
    for step in path:
        value = value[step]
    return value


def _made(
    registry: models.Registry, plan: Plan, row: AskedRow, values: dict[str, Any]
) -> models.App:
    tenant = next((each for each in registry.tenants if each.label == row.tenant), None)
    where = f"{row.place}: {row.app_id}"
    if tenant is None:
        text = f"the tenant {shown(row.tenant)} is not in the registry: write it there again"
        raise AskedError(where, [AskedProblem("/tenant", text)])
    if "api_keys" in values:
        keys = _keys(plan.settings.get("api_keys", []), values["api_keys"])
        values = values | {"api_keys": keys}
    app = app_of_plan(
        plan,
        tenant,
        row.name,
        registry.namespace,
        values,
        models.Location(row.place, 0),
        row.id,
    )
    problems = [
        AskedProblem(_blamed(finding, app, row.overrides), finding.message)
        for finding in checks.check(app)
    ]
    if problems:
        raise AskedError(where, problems)
    return app


def _keys(plan: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lay an app's keys over those of its plan, by their names: a plan's new key reaches apps that rotated another."""
    left = list(own)
    over = []
    for key in plan:
        above: dict[str, Any] = next((each for each in left if each["name"] == key["name"]), {})
        left = [each for each in left if each is not above]
        over.append(merged(key, above))
    # A name that is twice in the app's own list stays twice, and is refused as such.
    return [*over, *left]


def _blamed(finding: checks.Finding, app: models.App, overrides: Mapping[str, Any]) -> str:
    """Return where the override is that a rule concerns; `/plan` where it is the plan alone."""
    own = [each.get("name") for each in overrides.get("api_keys", ())]
    for path in finding.paths:
        match path:
            case ("api_keys", int(index), *rest) if app.api_keys[index].name in own:
                return _pointer(("api_keys", own.index(app.api_keys[index].name), *rest))
            case ("api_keys",) if own:
                return "/api_keys"
            case (str(key), *_) if key != "api_keys" and key in overrides:
                return _pointer(path)
            case _:
                continue
    return "/plan"


def _pointer(path: Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
