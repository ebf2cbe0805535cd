from pathlib import Path
from typing import Any

import httpx
import pytest

from tenantry.aura.errors import AuraCredentialsError, AuraError, InstanceError
from tenantry.aura.presence import GoneError, look
from tenantry.aura.removing import remove
from tests.unit.aura.support import (
    BUSY,
    DELETE,
    GET,
    GONE,
    LIST,
    NOW,
    OLD,
    ONE,
    TENANT,
    YOUNG,
    Api,
    FakeTime,
    data,
    instance,
    refusal,
)


@pytest.mark.parametrize(
    "listed",
    [
        data([instance()]),
        refusal(404, "no such tenant", "tenant-not-found"),
        httpx.Response(403, json={"error": "no"}),
        httpx.Response(500),
    ],
)
def test_who_does_not_see_the_project_cannot_say_that_it_is_gone(
    tmp_path: Path, listed: Any
) -> None:
    api = Api().on(GET, GONE).on(LIST, listed).on(DELETE, GONE)
    with api.client(tmp_path) as client:
        with pytest.raises(AuraError) as caught:
            look(client, "db1d1234", tenant_id=TENANT, created_at=OLD)
        assert not isinstance(caught.value, GoneError)
        with pytest.raises(AuraError):
            delete(client)


def delete(client: Any, **more: Any) -> None:
    known = {"tenant_id": TENANT, "created_at": OLD, "snapshot": False, "until_gone": False}
    remove(client, "acme/web", "db1d1234", **{**known, **more})


ACCEPTED = data(instance(status="destroying"), 202)


def test_a_deletion_that_was_accepted_is_enough(tmp_path: Path) -> None:
    api = Api().on(DELETE, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client)
    assert len(api.sent(DELETE)) == 1


def test_a_deletion_is_waited_for_where_its_place_is_needed(tmp_path: Path) -> None:
    fake = FakeTime()
    api = Api().on(DELETE, ACCEPTED).on(GET, *[data(instance(status="destroying"))] * 2, GONE)
    with api.client(tmp_path, fake) as client:
        delete(client, until_gone=True)
    assert 20 <= fake.now - NOW <= 22
    assert len(api.sent(DELETE)) == 1


def test_a_deletion_whose_answer_was_lost_is_not_an_error(tmp_path: Path) -> None:
    api = Api().on(DELETE, httpx.ReadError("gone"), GONE)
    api.on(GET, data(instance(status="destroying")), GONE)
    with api.client(tmp_path) as client:
        delete(client, until_gone=True)


def test_what_is_gone_already_is_deleted(tmp_path: Path) -> None:
    api = Api().on(DELETE, GONE).on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client:
        delete(client)


def test_a_young_instance_is_not_left_behind(tmp_path: Path) -> None:
    api, fake = Api().on(DELETE, GONE, GONE, ACCEPTED), FakeTime()
    api.on(GET, GONE, GONE, data(instance(status="destroying")))
    with api.client(tmp_path, fake) as client:
        delete(client, created_at=YOUNG)
    assert len(api.sent(DELETE)) == 3


def test_a_busy_instance_is_deleted_later_or_said(tmp_path: Path) -> None:
    api = Api().on(DELETE, BUSY, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client)
        api.on(DELETE, BUSY)
        with pytest.raises(
            InstanceError, match=r"is not deleted: .*busy: resuming.*; tenantry up tries again"
        ):
            delete(client)


SNAPSHOTS, SNAPSHOT = f"POST {ONE}/snapshots", f"GET {ONE}/snapshots/s"


def snapshot(status: str) -> httpx.Response:
    return data({"snapshot_id": "s", "status": status})


def test_a_snapshot_comes_first(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, BUSY, data({"snapshot_id": "s"}, 202))
    api.on(SNAPSHOT, snapshot("Pending"), snapshot("Completed"))
    api.on(DELETE, ACCEPTED).on(GET, data(instance(status="destroying")))
    with api.client(tmp_path) as client:
        delete(client, snapshot=True)
    order = [f"{r.method} {r.url.path}" for r in api.requests if r.method != "GET"]
    assert order == ["POST /oauth/token", SNAPSHOTS, SNAPSHOTS, DELETE]


def test_without_its_snapshot_nothing_is_deleted(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, data({"snapshot_id": "s"}, 202)).on(SNAPSHOT, snapshot("Failed"))
    with api.client(tmp_path) as client, pytest.raises(InstanceError, match="nothing was deleted"):
        delete(client, snapshot=True)
    assert not api.sent(DELETE)


def test_what_is_gone_needs_no_snapshot(tmp_path: Path) -> None:
    api = Api().on(SNAPSHOTS, GONE).on(DELETE, GONE).on(GET, GONE).on(LIST, data([]))
    with api.client(tmp_path) as client:
        delete(client, snapshot=True)


def test_refused_credentials_end_every_wait(tmp_path: Path) -> None:
    api = Api().on(DELETE, httpx.Response(403, json={"error": "no"}))
    with api.client(tmp_path) as client, pytest.raises(AuraCredentialsError):
        delete(client)
