from datetime import UTC, datetime

import pytest

from tenantry.clouds.aura import AURA, INSTANCE
from tenantry.clouds.neon import NEON
from tenantry.states.state import read_state
from tests.unit.recovery.project import URN, creating, held

SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "v1:x",
}


def test_a_project_is_read_with_what_neon_cannot_change_about_it() -> None:
    state = read_state("dev", {"manifest": {"time": "2026-11-22T10:00:00Z"}, "resources": [held()]})
    (project,) = state.of(NEON)
    assert (project.target, project.name, project.id, project.account) == (
        "acme/web",
        "t--acme--web",
        "p-1",
        "org",
    )
    assert project.place == {"region": "aws-us-east-2", "PostgreSQL": "17"}
    assert state.resources == {URN: "p-1"}
    assert state.written == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_outputs_come_before_inputs_and_a_number_may_be_a_float() -> None:
    state = read_state("dev", {"resources": [held(outputs={"pgVersion": 16.0, "regionId": "r"})]})
    assert state.of(NEON)[0].place == {"region": "r", "PostgreSQL": "16"}


def test_what_is_secret_is_no_name() -> None:
    state = read_state("dev", {"resources": [held(inputs={"name": SECRET, "orgId": None})]})
    assert (state.of(NEON)[0].name, state.of(NEON)[0].account, state.of(NEON)[0].place) == (
        "",
        "",
        {},
    )


def test_an_instance_is_read_with_what_it_takes_over() -> None:
    resource = {
        "urn": "urn:pulumi:dev::tenantry::x$y::acme/web/ann",
        "type": INSTANCE,
        "inputs": {
            "target": "acme/web/ann",
            "name": "n",
            "tenantId": "a",
            "adoptInstanceId": "g-9",
        },
    }
    state = read_state("dev", {"resources": [resource], "pending_operations": [creating(resource)]})
    assert (state.of(AURA)[0].id, state.of(AURA)[0].adopts) == ("", "g-9")
    assert state.pending[0].wanted == state.of(AURA)[0]


def test_a_pending_operation_has_a_name_and_a_kind() -> None:
    role = {
        "urn": "urn:pulumi:dev::tenantry::a$b::acme/web/rw",
        "type": "postgresql:index/role:Role",
    }
    (pending,) = read_state("dev", {"pending_operations": [creating(role)]}).pending
    assert (pending.name, pending.kind, pending.operation, pending.wanted) == (
        "acme/web/rw",
        "Role",
        "creating",
        None,
    )


@pytest.mark.parametrize("content", [None, {}, {"resources": None, "pending_operations": None}])
def test_a_stack_in_which_nothing_was_applied_is_empty(content: dict[str, None] | None) -> None:
    state = read_state("dev", content)
    assert (state.resources, state.apps, state.pending) == ({}, (), ())
