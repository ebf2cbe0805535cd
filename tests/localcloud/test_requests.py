"""Neon's rate limit, and the counts of requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.localcloud.support import Account
from tests.localcloud_fixture import local_cloud

if TYPE_CHECKING:
    from tests.localcloud_fixture import LocalCloud


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("limited") / "data"
    with local_cloud(folder, "--neon-rate-limit", "35") as cloud:
        yield cloud


def requests(cloud: LocalCloud, method: str = "GET") -> Any:
    answer = httpx.request(
        method,
        cloud.neon_api_url.replace("/api/v2", "/_localcloud/requests"),
        headers={"Authorization": f"Bearer {cloud.neon_api_key}"},
    ).raise_for_status()
    return answer.json() if method == "GET" else None


def test_a_burst_on_one_route_is_refused_and_counted(limited: LocalCloud) -> None:
    requests(limited, "DELETE")
    with limited.client() as client:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: client.get("/regions"), range(6)))
        refused = [answer for answer in answers if answer.status_code == 429]
        # 35 a minute are 2 a second on one route; the second may turn meanwhile.
        assert 0 < len(refused) <= 4
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert "rate limit" in refused[0].json()["message"]
        assert client.get("/users/me").status_code == 200
        time.sleep(1)  # the window of a burst
        assert client.get("/regions").status_code == 200
        assert client.get("/nothing").status_code == 404
    counted = requests(limited)["neon"]
    assert counted["total"] == 9
    assert counted["highest"]["60s"] == 9
    assert counted["highest"]["1s"] > 2
    assert counted["statuses"] == {"200": 8 - len(refused), "404": 1, "429": len(refused)}
    regions = counted["routes"]["GET /regions"]
    assert (regions["total"], regions["statuses"]["429"]) == (7, len(refused))
    assert counted["routes"]["no such route"]["total"] == 1


def test_requests_for_faults_and_counts_are_not_counted(limited: LocalCloud) -> None:
    requests(limited, "DELETE")
    for _ in range(20):
        requests(limited)
    assert requests(limited)["neon"]["total"] == 0
    with limited.aura() as client:
        client.get("/instances").raise_for_status()
    assert requests(limited)["aura"]["routes"].keys() == {"POST /oauth/token", "GET /instances"}


def test_a_cloud_of_the_tests_has_no_limit(account: Account) -> None:
    for _ in range(60):
        account.ask("GET", "/regions")
