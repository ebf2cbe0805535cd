"""An app between the file and a row: the block that says what a row says, and the row that says what the file says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tenantry.errors import TenantryError, shown
from tenantry.registry.asked import AskedRow, row_app
from tenantry.registry.declared import declared
from tenantry.registry.editor import flow
from tenantry.registry.loading import parse
from tenantry.registry.models import ApiKey
from tenantry.registry.problems import RegistryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenantry.registry.editing import RegistryFile
    from tenantry.registry.models import App
    from tenantry.registry.self_service import Plan


class HandOverError(TenantryError):
    """An app cannot be handed over between the file and a row; one line."""


def block_of_row(file: RegistryFile, row: AskedRow) -> list[str]:
    """Return the lines of an app in the file that is what a row says, from `tenants:` on.

    :raises AskedError: the row is not valid
    :raises HandOverError: the block would be another app
    """
    wanted = row_app(file.registry, row)
    plan: Mapping[str, Any] = file.values["self_service"]["plans"][row.plan] or {}
    defaults: Mapping[str, Any] = file.values.get("defaults", {})
    keys = dict(plan)
    for key, value in row.overrides.items():
        if key == "api_keys":
            # A list in the file would replace that of the defaults.
            keys[key] = _laid_over(plan.get(key, defaults.get(key, ())), value)
        elif isinstance(value, dict):
            keys[key] = _merged(plan.get(key) or {}, value)
        else:
            keys[key] = value
    # The file's defaults have no say in an asked app's deletion, and would have one here.
    keys["deletion"] = wanted.deletion
    _refuse_another(file, row, keys, wanted)
    inner = [f"        {key}: {flow(value)}" for key, value in keys.items()]
    return ["tenants:", f"  {row.tenant}:", "    apps:", f"      {row.name}:", *inner]


def _laid_over(plan: Any, own: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # values of a file
    by_name = {each["name"]: each for each in own}
    over = [{**each, **by_name.pop(each["name"], {})} for each in plan]
    return [*over, *by_name.values()]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **below,
        **{
            key: _merged(below.get(key) or {}, each) if isinstance(each, dict) else each
            for key, each in above.items()
        },
    }


def _refuse_another(file: RegistryFile, row: AskedRow, keys: dict[str, Any], wanted: App) -> None:
    values = json.loads(json.dumps(file.values))
    values["tenants"][row.tenant]["apps"][row.name] = keys
    try:
        # JSON is YAML: the file's layout has no part in it.
        made = parse(json.dumps(values).encode(), str(file.path)).app(row.app_id)
    except RegistryError as error:
        reason = error.problems[0].message
        raise HandOverError(
            f"{row.app_id} cannot be written into {file.path} so: {reason}"
        ) from None
    if declared(made) != declared(wanted):
        raise HandOverError(
            f"{row.app_id}: its block in {file.path} would be another app than its row: report this, with the plan {row.plan}"
        )


def row_of_block(file: RegistryFile, app_id: str, plan: str) -> tuple[AskedRow, App, App]:
    """Return the row that is nearest to an app of the file, the app as the file says it, and as the row would.

    They are the same app where their `declared` texts are equal.

    :raises NoSuchKeyError: the file has no such app
    :raises HandOverError: the app cannot be one that was asked for, or there is no such plan
    :raises AskedError: what the plan would make of it is not valid
    """
    app = file.app(app_id)
    offers = file.registry.self_service
    if offers is None or plan not in offers.plans:
        raise HandOverError(
            f"{file.path}: {shown(plan)} is not a plan: write one of self_service.plans"
        )
    for key, given in (("renamed_from", app.renamed_from), ("adopt", app.adopt)):
        if given:
            raise HandOverError(
                f"{app.location}: {app_id} has {key}, which a row cannot say: take it out when every stack has been applied"
            )
    if offers.sign_ups == app_id:
        raise HandOverError(
            f"{app.location}: the users of {app_id} get graphs when they sign up (self_service.sign_ups): it stays in the file"
        )
    row = AskedRow("", app.tenant, app.name, plan, _overrides(app, offers.plans[plan]))
    return row, app, row_app(file.registry, row)


def plans_like(file: RegistryFile, app_id: str) -> list[str]:
    """Name the plans of an app's tenant that make the same app of it.

    :raises NoSuchKeyError, HandOverError: as `row_of_block`
    """
    app = file.app(app_id)
    offers = file.registry.self_service
    asker = offers.tenants.get(app.tenant) if offers else None
    if asker is None:
        raise HandOverError(
            f"{file.path}: {app.tenant} may not ask for apps: write it under self_service.tenants first"
        )
    found = []
    for plan in asker.plans:
        _, there, made = row_of_block(file, app_id, plan)
        if declared(there) == declared(made):
            found.append(plan)
    return found


def _overrides(app: App, plan: Plan) -> dict[str, Any]:
    """Return what lies above a plan, as written, so that it is as near to the app as it can be."""
    found: dict[str, Any] = {}
    if app.region != plan.region:
        found["region"] = app.region
    credentials = plan.settings.get("database", {}).get("credentials", {})
    generation = app.database.credentials.generation
    if generation != credentials.get("generation", 1):
        found["database"] = {"credentials": {"generation": generation}}
    usual = {each["name"]: ApiKey(**each) for each in plan.settings.get("api_keys", ())}
    keys = [own for key in app.api_keys if (own := _own_key(key, usual.get(key.name))) is not None]
    if keys:
        found["api_keys"] = keys
    return found


def _own_key(key: ApiKey, plans: ApiKey | None) -> dict[str, Any] | None:
    before = (plans or ApiKey(name=key.name)).model_dump(mode="json")
    differs = {
        name: value
        for name, value in key.model_dump(mode="json").items()
        # A row cannot take back what a plan says.
        if value != before[name] and value is not None
    }
    return None if plans and not differs else {"name": key.name, **differs}
