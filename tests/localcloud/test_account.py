"""What belongs to the account beside its databases. Every answer is checked against Neon's document as well."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from localcloud.neon.missing import ROUTES as MISSING
from tests.localcloud.support import Account, Json, Project, query

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def project(account: Account) -> Iterator[Project]:
    made = account.project("account")
    yield made
    made.delete()


def organization(account: Account) -> str:
    return f"/organizations/{account.cloud.neon_org_id}"


@pytest.mark.parametrize(("method", "path"), sorted({route[:2] for route in MISSING})[::7])
def test_a_route_of_the_document_that_is_not_there_says_so(
    account: Account, method: str, path: str
) -> None:
    url = path.replace("{", "").replace("}", "")
    answer = account.send(method, url, {} if method != "GET" else None)
    assert answer.status_code == 501
    assert answer.json()["code"] == "NOT_IN_LOCAL_CLOUD"
    assert answer.json()["message"].endswith("documented, not in the local cloud")


def test_a_key_that_was_revoked_does_not_give_its_id_to_the_next(account: Account) -> None:
    first = account.ask("POST", "/api_keys", {"key_name": "first"})
    account.ask("DELETE", f"/api_keys/{first['id']}")
    second = account.ask("POST", "/api_keys", {"key_name": "second"})
    assert second["id"] > first["id"]
    assert account.refusal("DELETE", f"/api_keys/{first['id']}")[0] == 404
    assert [each["name"] for each in account.send("GET", "/api_keys").json()] == ["second"]
    account.ask("DELETE", f"/api_keys/{second['id']}")


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/projects/shared", {"limit": 0}),
        ("/projects/shared", {"timeout": 99}),
        ("/projects", {"limit": 401}),
        ("/projects", {"timeout": 30_001}),
        ("/projects", {"recoverable": "yes"}),
        ("{project}/operations", {"limit": 0}),
        ("{project}/branches", {"limit": 10_001}),
        ("{project}/branches", {"sort_by": "size"}),
        ("{project}/branches", {"sort_order": "up"}),
        ("{project}/branches", {"include_deleted": "1"}),
        ("{organization}/members", {"limit": 501}),
        ("{organization}/members", {"sort_by": "name"}),
        ("{project}/operations/7", {}),
    ],
)
def test_a_parameter_outside_of_the_documents_bounds_is_refused(
    account: Account, project: Project, path: str, parameters: dict[str, object]
) -> None:
    url = path.format(project=project.path, organization=organization(account))
    org = {"org_id": account.cloud.neon_org_id} if path == "/projects" else {}
    status, message = account.refusal("GET", url, **org, **parameters)
    assert status == 400
    assert message.startswith('parameter "')


def test_a_key_id_that_is_no_number_is_refused(account: Account) -> None:
    assert account.refusal("DELETE", "/api_keys/first")[0] == 400


def test_nobody_shares_a_project_with_the_only_account(account: Account) -> None:
    assert account.ask("GET", "/projects/shared", limit=400)["projects"] == []


# The organization


def test_the_operator_is_the_only_member_and_stays_admin(account: Account) -> None:
    path = f"{organization(account)}/members"
    member = account.ask("GET", path, sort_by="email", sort_order="asc")["members"][0]["member"]
    assert account.ask("GET", f"{path}/{member['id']}") == member
    assert account.ask("PATCH", f"{path}/{member['id']}", {"role": "admin"}) == member
    assert account.refusal("PATCH", f"{path}/{member['id']}", {"role": "viewer"})[0] == 422
    assert account.refusal("PATCH", f"{path}/{member['id']}", {"role": "king"})[0] == 400
    assert account.refusal("DELETE", f"{path}/{member['id']}")[0] == 422
    assert account.refusal("GET", f"{path}/{UNKNOWN}")[0] == 404


def test_invitations_are_kept_all_or_none(account: Account) -> None:
    path = f"{organization(account)}/invitations"
    made = account.ask(
        "POST", path, {"invitations": [{"email": "one@example.com", "role": "viewer"}]}
    )["invitations"]
    twice = [{"email": name, "role": "member"} for name in ("two@example.com", "One@example.com")]
    assert account.refusal("POST", path, {"invitations": twice})[0] == 409
    assert (
        account.refusal("POST", path, {"invitations": [{"email": "x", "role": "member"}]})[0] == 400
    )
    assert account.ask("GET", path)["invitations"] == made


def test_a_spending_limit_is_set_shown_and_taken_away(account: Account) -> None:
    path = f"{organization(account)}/billing/spending_limit"
    assert account.ask("GET", path) == {"spending_limit_cents": None}
    assert account.ask("PUT", path, {"spending_limit_cents": 5000})["spending_limit_cents"] == 5000
    assert account.refusal("PUT", path, {"spending_limit_cents": 0})[0] == 400
    assert account.ask("GET", path)["spending_limit_cents"] == 5000
    for _ in range(2):
        account.ask("DELETE", path)
    assert account.ask("GET", path)["spending_limit_cents"] is None


# VPC endpoints


def test_a_vpc_endpoint_restricts_a_project_and_never_comes_back(
    account: Account, project: Project
) -> None:
    region = f"{organization(account)}/vpc/region/aws-us-east-2/vpc_endpoints"
    restriction = f"{project.path}/vpc_endpoints/vpce-1"
    assert account.refusal("POST", restriction, {"label": "x"})[0] == 400
    assert account.send("POST", f"{region}/vpce-1", {"label": "first"}).status_code == 200
    assert account.send("POST", f"{region}/vpce-1", {"label": "office"}).status_code == 200
    assert account.refusal("POST", f"{region}/vpce-2", {})[0] == 400
    listed = {"vpc_endpoint_id": "vpce-1", "label": "office"}
    assert account.ask("GET", region)["endpoints"] == [listed]
    everywhere = account.ask("GET", f"{organization(account)}/vpc/vpc_endpoints")["endpoints"]
    assert everywhere == [listed | {"region_id": "aws-us-east-2"}]
    assert account.send("POST", restriction, {"label": "app"}).status_code == 200
    assert account.ask("GET", f"{project.path}/vpc_endpoints")["endpoints"] == [
        listed | {"label": "app"}
    ]
    details = account.ask("GET", f"{region}/vpce-1")
    assert details["example_restricted_projects"] == [project.id]
    assert account.refusal("DELETE", f"{region}/vpce-1")[0] == 409
    assert account.send("DELETE", restriction).status_code == 200
    assert account.refusal("DELETE", restriction)[0] == 404
    assert account.send("DELETE", f"{region}/vpce-1").status_code == 200
    assert account.refusal("GET", f"{region}/vpce-1")[0] == 404
    assert account.refusal("POST", f"{region}/vpce-1", {"label": "again"})[0] == 409


# A project's key sets, offers and libraries


def test_key_sets_are_added_listed_and_removed(account: Account, project: Project) -> None:
    path = f"{project.path}/jwks"
    body = {"jwks_url": "https://example.com/.well-known/jwks.json", "provider_name": "Example"}
    made = project.do("POST", path, body | {"role_names": ["app"], "jwt_audience": "web"})["jwks"]
    assert made["role_names"] == ["app"]
    assert account.refusal("POST", path, body)[0] == 409
    for wrong in ("http://example.com/jwks.json", "https://example.com", "https://example.com/"):
        assert account.refusal("POST", path, body | {"jwks_url": wrong})[0] == 400
    assert account.refusal("POST", path, body | {"branch_id": "br-none"})[0] == 404
    assert account.ask("GET", path)["jwks"] == [made]
    assert account.ask("DELETE", f"{path}/{made['id']}") == made
    assert account.refusal("DELETE", f"{path}/{made['id']}")[0] == 404


def test_an_offered_project_is_accepted_once_and_in_time(
    account: Account, project: Project
) -> None:
    path = f"{project.path}/transfer_requests"
    offer = account.ask("POST", path)
    accept = f"{path}/{offer['id']}"
    assert account.refusal("PUT", accept, {"org_id": "org-other-1"})[0] == 404
    accepted = account.send("PUT", accept, {"org_id": account.cloud.neon_org_id})
    assert accepted.status_code == 204
    assert account.refusal("PUT", accept)[0] == 404
    short = account.ask("POST", path, {"ttl_seconds": 1})
    time.sleep(1.1)
    assert account.refusal("PUT", f"{path}/{short['id']}")[0] == 422


def test_a_library_that_is_listed_is_loaded_and_another_refused(
    account: Account, project: Project
) -> None:
    listed = account.ask("GET", f"{project.path}/available_preload_libraries")["libraries"]
    assert "pg_stat_statements" in {each["library_name"] for each in listed}
    wanted = {"enabled_libraries": ["pg_stat_statements"]}
    project.do("PATCH", project.path, {"project": {"settings": {"preload_libraries": wanted}}})
    assert query(project.uri, "SHOW shared_preload_libraries") == [("pg_stat_statements",)]
    assert query(
        project.uri,
        "CREATE EXTENSION pg_stat_statements",
        "SELECT count(*) > 0 FROM pg_stat_statements",
    ) == [(True,)]
    other = {"enabled_libraries": ["timescaledb"]}
    body = {"project": {"settings": {"preload_libraries": other}}}
    assert account.refusal("PATCH", project.path, body)[0] == 400


def test_projects_are_in_the_organization_and_move_to_no_other(
    account: Account, project: Project
) -> None:
    here = {"destination_org_id": account.cloud.neon_org_id, "project_ids": [project.id]}
    path = f"{organization(account)}/projects/transfer"
    assert account.ask("POST", path, here) == {}
    assert account.ask("POST", "/users/me/projects/transfer", here) == {}
    assert account.refusal("POST", path, here | {"destination_org_id": "org-other-1"})[0] == 404
    assert account.refusal("POST", path, here | {"project_ids": ["none-such-1"]})[0] == 404
    assert account.refusal("POST", path, {})[0] == 400


# Consumption


def test_what_was_used_is_told_by_hours_in_every_form(account: Account, project: Project) -> None:
    query(project.uri, "CREATE TABLE written AS SELECT generate_series(1, 20000)")
    time.sleep(1)
    project.suspend()
    now = datetime.now(UTC)
    asked: dict[str, object] = {
        "from": (now - timedelta(hours=2)).isoformat(),
        "to": (now + timedelta(hours=1)).isoformat(),
        "granularity": "hourly",
        "org_id": account.cloud.neon_org_id,
        "project_ids": project.id,
    }

    def consumed(path: str, what: str, **more: object) -> list[Json]:
        found = account.ask("GET", f"/consumption_history/{path}", **asked, **more)[what]
        assert [each["project_id"] for each in found] == [project.id]
        return [hour for period in found[0]["periods"] for hour in period["consumption"]]

    hours = consumed("projects", "projects")
    assert sum(hour["active_time_seconds"] for hour in hours) >= 1
    assert sum(hour["written_data_bytes"] for hour in hours) > 500_000
    assert hours[-1]["synthetic_storage_size_bytes"] > 5_000_000
    metrics = "compute_unit_seconds,root_branch_bytes_month"
    for path, what in (("v2/projects", "projects"), ("v2/branches", "branches")):
        measured = consumed(path, what, metrics=metrics)[-1]["metrics"]
        assert [each["metric_name"] for each in measured] == metrics.split(",")
        assert measured[1]["value"] > 0
        (unmeasured,) = consumed(path, what, metrics="public_network_transfer_bytes")[-1]["metrics"]
        assert unmeasured["value"] == 0
        assert account.refusal("GET", f"/consumption_history/{path}", **asked)[0] == 400
    # Byte-hours and branch-hours, as Neon's page on usage calculations says; and the project's own counters.
    root, child = (
        sum(hour["metrics"][n]["value"] for hour in consumed("v2/projects", "projects", metrics=of))
        for n, of in ((0, "root_branch_bytes_month"), (0, "extra_branches_month"))
    )
    there = account.ask("GET", project.path)["project"]
    age = (datetime.now(UTC) - datetime.fromisoformat(there["created_at"])) / timedelta(hours=1)
    assert 0 < root <= hours[-1]["synthetic_storage_size_bytes"] * age
    assert child == 0
    counted = sum(hour["compute_time_seconds"] for hour in hours)
    assert abs(there["compute_time_seconds"] - counted) <= 1
    assert there["written_data_bytes"] == sum(hour["written_data_bytes"] for hour in hours)
    assert 0 < there["data_storage_bytes_hour"] <= hours[-1]["synthetic_storage_size_bytes"] * age
    for wrong in ({"granularity": "weekly"}, {"limit": 0}, {"from": "then"}, {"project_ids": "A"}):
        path = "/consumption_history/projects"
        assert account.refusal("GET", path, **asked | wrong)[0] == 400
    early = asked | {"from": (now - timedelta(days=8)).isoformat()}
    assert account.refusal("GET", "/consumption_history/projects", **early)[0] == 406
    for granularity in ("daily", "monthly"):
        account.ask("GET", "/consumption_history/projects", **asked | {"granularity": granularity})
