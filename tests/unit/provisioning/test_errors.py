import pickle

import pytest

from tenantry.provisioning.errors import (
    BusyError,
    ConflictError,
    DeniedError,
    MissingError,
    ProvisioningError,
    RejectedError,
    UnavailableError,
)

KINDS = [UnavailableError, BusyError, DeniedError, RejectedError, ConflictError, MissingError]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_one_line_with_the_app_the_step_and_what_to_do(
    kind: type[ProvisioningError],
) -> None:
    error = kind("acme/web", "keys", "the row is locked", "tenantry up")
    assert str(error) == "acme/web: keys: the row is locked: tenantry up"
    assert (error.app, error.step, error.reason, error.way_out) == (
        "acme/web",
        "keys",
        "the row is locked",
        "tenantry up",
    )


def test_only_what_passes_by_itself_is_worth_another_attempt() -> None:
    assert [kind for kind in KINDS if kind.may_pass] == [UnavailableError, BusyError]
    assert not ProvisioningError.may_pass


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_survives_a_process_boundary(kind: type[ProvisioningError]) -> None:
    error = kind("acme/web", "schema", "no", "yes")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.step) == (kind, str(error), "schema")
