from __future__ import annotations

import pytest

from tests.unit.localcloud.aura.account import CHANGE, CREATE, Account

NOT_ALLOWED = (409, "snapshot-not-allowed", None)


def test_the_first_scheduled_snapshot_begins_when_the_instance_runs_and_refuses_another(
    account: Account,
) -> None:
    made = account.create()
    path = f"/instances/{made['id']}/snapshots"
    assert account.ask("GET", path) == []
    assert account.refusal("POST", path)[1] == "ongoing-database-operation"
    account.clock.seconds += CREATE
    (first,) = account.ask("GET", path)
    assert (first["profile"], first["status"]) == ("Scheduled", "InProgress")
    assert account.refusal("POST", path) == NOT_ALLOWED
    account.clock.seconds += CHANGE
    assert account.ask("GET", path)[0]["status"] == "Completed"


def test_a_snapshot_is_made_read_and_restored(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}/snapshots"
    answer = account.send("POST", path)
    assert answer.status_code == 202
    (snapshot_id,) = answer.json()["data"].values()
    one = f"{path}/{snapshot_id}"
    assert account.refusal("POST", f"{one}/restore") == NOT_ALLOWED
    account.clock.seconds += CHANGE
    shown = account.ask("GET", one)
    assert shown == {
        "instance_id": made["id"],
        "snapshot_id": snapshot_id,
        "profile": "AdHoc",
        "status": "Completed",
        "timestamp": "2027-01-15T08:01:50Z",
        "exportable": True,
    }
    assert account.ask("GET", path)[1] == shown
    assert account.ask("POST", f"{one}/restore")["status"] == "restoring"
    assert account.refusal("POST", path)[1] == "ongoing-database-operation"
    account.clock.seconds += CHANGE
    assert account.status(made) == "running"


def test_snapshots_are_listed_by_day(account: Account) -> None:
    made = account.running()
    path = f"/instances/{made['id']}/snapshots"
    assert len(account.ask("GET", f"{path}?date=2027-01-15")) == 1
    assert account.ask("GET", f"{path}?date=2027-01-14") == []
    account.clock.seconds += 86_400
    account.token = None
    assert account.ask("GET", path) == []
    assert account.refusal("GET", f"{path}?date=today") == (400, "validation-error", "date")


def test_a_snapshot_of_another_instance_is_not_found(account: Account) -> None:
    one, two = account.running(), account.running()
    snapshot_id = account.ask("POST", f"/instances/{one['id']}/snapshots")["snapshot_id"]
    path = f"/instances/{two['id']}/snapshots/{snapshot_id}"
    for method, target in (("GET", path), ("POST", f"{path}/restore")):
        assert account.refusal(method, target) == (404, "snapshot-not-found", None)


@pytest.mark.parametrize("action", ["snapshots", "restore"])
def test_a_paused_instance_has_no_snapshot_taken_or_restored(account: Account, action: str) -> None:
    made = account.running()
    path = f"/instances/{made['id']}/snapshots"
    snapshot_id = account.ask("GET", path)[0]["snapshot_id"]
    account.ask("POST", f"/instances/{made['id']}/pause")
    account.clock.seconds += CHANGE
    if action == "snapshots":
        assert account.refusal("POST", path) == NOT_ALLOWED
    else:
        refusal = account.refusal("POST", f"{path}/{snapshot_id}/restore")
        assert refusal == (409, "instance-action-unavailable", None)
