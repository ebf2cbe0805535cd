from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.unit.localcloud.aura.account import Account

if TYPE_CHECKING:
    from pathlib import Path

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_token_is_given_for_the_clients_credentials(account: Account) -> None:
    answer = account.fetch_token()
    assert answer.status_code == 200
    document = answer.json()
    assert document.pop("access_token")
    assert document == {"expires_in": 3600, "token_type": "bearer"}


def test_two_tokens_differ_and_both_are_good(account: Account) -> None:
    first, second = (account.fetch_token().json()["access_token"] for _ in range(2))
    assert first != second
    for token in (first, second):
        account.token = token
        account.ask("GET", "/tenants")


def test_wrong_credentials_are_refused(account: Account) -> None:
    right = (account.settings.aura_client_id, account.settings.aura_client_secret)
    for wrong in (("x", right[1]), (right[0], "x"), (right[0], ""), right[::-1]):
        answer = account.fetch_token(auth=wrong)
        assert (answer.status_code, answer.json()) == (
            401,
            {"error": "Invalid client credentials"},
        )


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ???", "Basic " + base64.b64encode(b"\xff:x").decode(), "Bearer x"],
)
def test_a_header_without_credentials_is_refused(account: Account, header: str) -> None:
    answer = account.fetch_token(auth=None, headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_body_that_is_not_the_form_is_refused(account: Account) -> None:
    json = {"json": {"grant_type": "client_credentials"}, "data": None}
    assert account.fetch_token(**json).status_code == 400
    assert account.fetch_token(data=None, headers=FORM).status_code == 404
    assert account.fetch_token(data={"grant_type": "password"}).status_code == 403
    assert account.fetch_token(data={"other": "client_credentials"}).status_code == 403


def test_token_requests_have_a_limit_of_their_own(tmp_path: Path) -> None:
    account = Account(tmp_path / "state.db", asked={"aura_rate_limit": 2})
    account.fetch_token()
    account.fetch_token()
    answer = account.fetch_token()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    account.clock.seconds += 60
    assert account.fetch_token().status_code == 200
