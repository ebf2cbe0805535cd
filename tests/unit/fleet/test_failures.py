import pytest

from tenantry.aura.errors import UnfinishedError
from tenantry.errors import marked
from tenantry.fleet.failures import failure, kind_of
from tenantry.neon.client import NeonDisturbedError, NeonError
from tenantry.provisioning.errors import BusyError, DeniedError, UnavailableError


@pytest.mark.parametrize(
    "text",
    [
        marked(UnavailableError("acme/web", "database", "no connection", "see whether it runs")),
        f"Exception calling application: {marked(UnfinishedError('acme/web: not ready'))}",
        "1 error occurred:\n\t* POST /projects: Neon answered 503 [may pass by itself]\n\n",
        "error: random plugin [/bin/plugin] did not begin responding to RPC connections",
        "could not read plugin [/bin/plugin]: EOF",
    ],
)
def test_what_its_source_says_may_pass_is_passing(text: str) -> None:
    assert failure([text, "update failed"]).kind == "passing"


@pytest.mark.parametrize(
    "text",
    [
        marked(DeniedError("acme/web", "database", "no right", "grant it")),
        # Words alone say nothing: they may be those of anything.
        "POST /projects: Neon answered 503: try later",
        "dial tcp 127.0.0.1:1: connect: connection refused",
        "2 errors occurred:\n\t* one [may pass by itself]\n\t* another\n\n",
    ],
)
def test_what_nobody_says_may_pass_is_lasting(text: str) -> None:
    assert failure([text]).kind == "lasting"


def test_one_lasting_error_is_enough() -> None:
    found = failure([marked(BusyError("acme/web", "keys", "locked", "again")), "no such role"])
    assert found.kind == "lasting"


def test_the_mark_is_not_part_of_the_reason() -> None:
    error = BusyError("acme/web", "keys", "the row is locked", "pulumi up")
    assert failure([marked(error)]).reason == str(error)


def test_a_failure_that_met_no_engine_is_judged_by_its_class() -> None:
    assert kind_of(NeonDisturbedError("503")) == "passing"
    assert kind_of(NeonError("401")) == "lasting"


def test_a_stack_that_another_run_holds_is_busy() -> None:
    text = "lock [a--b] a--b: held by ann@build (pid 7) for 3 s: a run is at work: wait"
    found = failure([text])
    assert found.kind == "busy"
    assert "\n" not in found.reason


def test_what_was_asked_to_end_is_stopped() -> None:
    assert failure(["Neon answered 503"], interrupted=True).kind == "stopped"


def test_the_reason_is_the_first_thing_that_says_something() -> None:
    text = "2 errors occurred:\n\t* creating: role exists\n\t* other\n"
    assert failure(["update failed", text]).reason == "creating: role exists"


def test_a_long_reason_is_cut() -> None:
    assert len(failure(["x" * 5000]).reason) == 400
