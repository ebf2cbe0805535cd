"""Who is behind a run."""

import getpass
import socket

import pytest

from tenantry.running.actor import actor_of

CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_ACTOR": "octocat",
}


def test_what_is_said_goes_before_everything_else() -> None:
    assert actor_of({**CI, "TENANTRY_ACTOR": "auth0|42"}) == "auth0|42"


def test_in_a_workflow_it_is_the_commit_and_who_set_it_off() -> None:
    assert actor_of({**CI, "TENANTRY_ACTOR": " "}) == "commit 0123456789ab (octocat)"


def test_else_it_is_the_user_at_the_host() -> None:
    # A shell that has kept parts of a workflow's variables is none.
    assert (
        actor_of({"GITHUB_SHA": CI["GITHUB_SHA"]}) == f"{getpass.getuser()}@{socket.gethostname()}"
    )


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    assert actor_of({}).startswith("uid 4711@")


def test_it_is_one_short_line_that_a_terminal_can_show() -> None:
    assert actor_of({"TENANTRY_ACTOR": "a\n\x1b[2Jb\u202ec"}) == "a [2Jb c"
    assert len(actor_of({"TENANTRY_ACTOR": "x" * 500})) == 200
