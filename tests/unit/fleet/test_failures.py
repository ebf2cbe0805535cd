import pytest

from tenantry.fleet.failures import failure


@pytest.mark.parametrize(
    "text",
    [
        "POST /projects: Neon answered 503: try later: Neon is disturbed (neonstatus.com): pulumi up when it has recovered",
        "GET /projects: no answer: dial tcp 127.0.0.1:1: connect: connection refused: look at the network",
        'acme/web: database: connection to server at "127.1.2.3", port 5432 failed: Connection refused: see whether it runs',
        "graph acme/web is not ready after 900 s",
    ],
)
def test_what_may_go_well_later_is_passing(text: str) -> None:
    assert failure([text, "update failed"]).kind == "passing"


@pytest.mark.parametrize(
    "text",
    [
        "tenants.yaml: acme/web: branch qa is gone",
        "POST /projects: Neon answered 422: region is not known: correct what it names, then pulumi up",
        'acme/web: schema: relation "users" exists: undo it',
        "line 503 of the file is wrong",
    ],
)
def test_what_somebody_must_mend_is_lasting(text: str) -> None:
    assert failure([text]).kind == "lasting"


def test_one_lasting_error_is_enough() -> None:
    found = failure(["Neon answered 503", "password authentication failed"])
    assert found.kind == "lasting"
    assert found.reason == "Neon answered 503"


def test_a_stack_that_another_run_holds_is_busy() -> None:
    text = (
        "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with "
        "`pulumi cancel`.\n  file:///state/.pulumi/locks/1.json: created by ann@build (pid 7)"
    )
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
