import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tenantry.planning.drift import Difference, Drift
from tenantry.planning.schema import DOCUMENTS, schema_text
from tests.unit.planning.samples import MIXED, REFUSED
from tests.unit.planning.support import PROJECT, app, application, plan, step

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_checked_in_schema_is_current(document: str) -> None:
    assert (ROOT / f"{document}.schema.json").read_text("utf-8") == schema_text(document), (
        "make schema"
    )


def test_plans_pass_their_schema_and_others_do_not() -> None:
    validator = Draft202012Validator(json.loads(schema_text("plan")))
    made = plan(application(None, app(), step("create", PROJECT, "acme/web", new={})))
    for each in (MIXED, REFUSED, made):
        validator.validate(json.loads(each.model_dump_json()))
    with pytest.raises(ValidationError):
        validator.validate(json.loads(MIXED.model_dump_json()) | {"version": 2})


def test_drift_passes_its_schema() -> None:
    gone = Difference(stack="dev", app=None, kind="tables", name="catalog", gone=True)
    drift = Drift(compared=1, differences=(gone,))
    Draft202012Validator(json.loads(schema_text("drift"))).validate(
        json.loads(drift.model_dump_json())
    )
