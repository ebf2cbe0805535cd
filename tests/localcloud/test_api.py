"""The Neon API over HTTP. Every answer is checked against Neon's document as well."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.localcloud.support import Account, Project, query
from tests.localcloud_fixture import local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.localcloud_fixture import LocalCloud

LOCKED = "project already has running conflicting operations, scheduling of new ones is prohibited"


@pytest.fixture(scope="module")
def project(account: Account) -> Iterator[Project]:
    made = account.project("api")
    yield made
    made.delete()


@pytest.fixture
def own(account: Account) -> Iterator[Project]:
    made = account.project("own")
    yield made
    if account.send("GET", made.path).status_code == 200:
        made.delete()


# Keys, routes, headers


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Basic abc"])
def test_a_missing_and_a_wrong_key_are_answered_alike(
    cloud: LocalCloud, header: str | None
) -> None:
    headers = {"Authorization": header} if header else {}
    answer = httpx.get(f"{cloud.neon_api_url}/projects", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["message"] == "supplied credentials do not pass authentication"
    assert answer.json()["code"] == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("PUT", "/projects"), ("HEAD", "/projects"), ("GET", "/projects/")],
)
def test_an_unknown_route_is_neons_404(account: Account, method: str, path: str) -> None:
    answer = account.send(method, path)
    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json()["message"] == "this route does not exist"


def test_a_request_id_is_echoed_in_headers_and_errors(account: Account) -> None:
    answer = account.client.get("/projects/none-such-1", headers={"X-Request-ID": "my-id-1"})
    assert answer.headers["x-neon-ret-request-id"] == "my-id-1"
    assert answer.json()["request_id"] == "my-id-1"
    ids = {account.send("GET", "/regions").headers["x-neon-ret-request-id"] for _ in range(2)}
    assert len(ids) == 2


def test_an_organizations_key_implies_it_and_stays_out_of_user_routes(
    cloud: LocalCloud, account: Account, project: Project
) -> None:
    path = f"/organizations/{cloud.neon_org_id}/api_keys"
    made = account.ask("POST", path, {"key_name": "robot"})
    with cloud.client(made["key"]) as client:
        robot = Account(cloud, client)
        assert robot.ask("GET", "/projects", search="api")["projects"][0]["id"] == project.id
        for route in ("/users/me", "/regions", "/api_keys"):
            assert robot.refusal("GET", route) == (404, "not allowed for organization API keys")
    listed = account.send("GET", path).json()
    assert [each["name"] for each in listed] == ["robot"]
    assert made["key"] not in str(listed)
    assert account.ask("DELETE", f"{path}/{made['id']}")["revoked"] is True
    assert account.send("DELETE", f"{path}/{made['id']}").status_code == 404
    with cloud.client(made["key"]) as client:
        assert client.get("/projects").status_code == 401


def test_a_projects_key_reaches_that_project_only(
    cloud: LocalCloud, account: Account, project: Project, own: Project
) -> None:
    path = f"/organizations/{cloud.neon_org_id}/api_keys"
    made = account.ask("POST", path, {"key_name": "narrow", "project_id": project.id})
    with cloud.client(made["key"]) as client:
        narrow = Account(cloud, client)
        assert narrow.send("GET", project.path).status_code == 200
        assert narrow.refusal("GET", own.path) == (404, "project not found")
        listed = narrow.ask("GET", "/projects")["projects"]
        assert [each["id"] for each in listed] == [project.id]
    account.ask("DELETE", f"{path}/{made['id']}")


def test_a_personal_key_is_made_and_revoked(cloud: LocalCloud, account: Account) -> None:
    made = account.ask("POST", "/api_keys", {"key_name": "mine"})
    with cloud.client(made["key"]) as client:
        assert client.get("/users/me").status_code == 200
    account.ask("DELETE", f"/api_keys/{made['id']}")
    with cloud.client(made["key"]) as client:
        assert client.get("/users/me").status_code == 401


def test_what_an_operator_looks_up(cloud: LocalCloud, account: Account) -> None:
    assert account.ask("GET", "/users/me")["plan"] == "scale"
    organizations = account.ask("GET", "/users/me/organizations")["organizations"]
    assert [each["id"] for each in organizations] == [cloud.neon_org_id]
    assert account.ask("GET", f"/organizations/{cloud.neon_org_id}")["plan"] == "scale"
    assert len(account.ask("GET", f"/organizations/{cloud.neon_org_id}/members")["members"]) == 1
    assert account.refusal("GET", "/organizations/org-no-such-1")[0] == 404
    regions = account.ask("GET", "/regions")["regions"]
    assert "aws-eu-central-1" in {each["region_id"] for each in regions}
    assert account.ask("GET", "/auth")["auth_method"] == "api_key_user"


# Bodies


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "/project"),
        ({"project": {"pg_version": "17"}}, "/project/pg_version"),
        ({"project": {"pg_version": 13}}, "/project/pg_version"),
        ({"project": {"name": ""}}, "/project/name"),
        ({"project": {"name": "n" * 257}}, "/project/name"),
        ({"project": {"history_retention_seconds": -1}}, "/project/history_retention_seconds"),
        (
            {"project": {"settings": {"allowed_ips": {"ips": "203.0.113.0/24"}}}},
            "/project/settings/allowed_ips/ips",
        ),
        (
            {"project": {"settings": {"maintenance_window": {"weekdays": [1]}}}},
            "/project/settings/maintenance_window/start_time",
        ),
        ([], "/"),
    ],
)
def test_a_wrong_body_is_refused_and_names_the_place(
    account: Account, body: object, place: str
) -> None:
    status, message = account.refusal("POST", "/projects", body)
    assert status == 400
    assert f'Error at "{place}"' in message


def test_a_body_that_is_not_json_is_refused(account: Account) -> None:
    answer = account.client.post("/projects", content=b'{"project": ')
    assert answer.status_code == 400
    assert "failed to decode" in answer.json()["message"]


# Projects


def test_a_new_project_has_neons_parts_and_defaults(project: Project) -> None:
    made = project.made
    assert made["project"]["region_id"] == "aws-us-east-2"
    assert made["project"]["pg_version"] == 17
    assert made["project"]["history_retention_seconds"] == 86_400
    assert made["project"]["settings"]["allowed_ips"] == {
        "ips": [],
        "protected_branches_only": False,
    }
    assert made["project"]["settings"]["maintenance_window"]["weekdays"]
    assert "owner" not in made["project"]
    assert (
        project.account.ask("GET", project.path)["project"]["owner"]["subscription_type"] == "scale"
    )
    assert made["branch"]["name"] == "main"
    assert made["branch"]["default"] is True
    assert made["branch"]["primary"] is True
    assert (made["branch"]["current_state"], made["branch"]["pending_state"]) == ("init", "ready")
    assert [each["name"] for each in made["databases"]] == ["neondb"]
    assert [each["name"] for each in made["roles"]] == ["neondb_owner"]
    assert made["roles"][0]["password"].startswith("npg_")
    endpoint = made["endpoints"][0]
    assert (endpoint["current_state"], endpoint["pending_state"]) == ("init", "active")
    assert [(each["action"], each["status"]) for each in made["operations"]] == [
        ("create_timeline", "running"),
        ("start_compute", "scheduling"),
    ]
    parameters = made["connection_uris"][0]["connection_parameters"]
    assert parameters["host"] == endpoint["host"]
    assert parameters["pooler_host"] != endpoint["host"]
    branch = project.account.ask("GET", project.branch)["branch"]
    assert branch["current_state"] == "ready"
    assert branch["primary"] is True


def test_a_projects_operations_are_listed_newest_first_in_pages(project: Project) -> None:
    first = project.account.ask("GET", f"{project.path}/operations", limit=1)
    assert len(first["operations"]) == 1
    second = project.account.ask(
        "GET", f"{project.path}/operations", limit=1, cursor=first["pagination"]["cursor"]
    )
    times = [first["operations"][0]["created_at"], second["operations"][0]["created_at"]]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 2


def test_timestamps_are_rfc3339_and_distinct(own: Project) -> None:
    made = [own.made["branch"], *own.made["endpoints"], *own.made["databases"]]
    stamps = [each["created_at"] for each in made]
    assert len(set(stamps)) == len(stamps)
    assert all(datetime.fromisoformat(each).tzinfo for each in stamps)


def test_projects_are_listed_in_pages_and_searched(account: Account) -> None:
    prefix = "paged"
    projects = [account.project(f"{prefix}-{number}") for number in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(4):
        page = account.ask(
            "GET", "/projects", org_id=account.cloud.neon_org_id, search=prefix, limit=2, **cursor
        )
        seen += [each["id"] for each in page["projects"]]
        if not page["projects"]:
            assert "pagination" not in page
            break
        cursor = {"cursor": page["pagination"]["cursor"]}
    assert sorted(seen) == sorted(project.id for project in projects)
    assert len(seen) == 5
    org = {"org_id": account.cloud.neon_org_id}
    found = account.ask("GET", "/projects", search=projects[0].id[3:], **org)["projects"]
    assert [each["id"] for each in found] == [projects[0].id]
    for bad in ("0", "401", "many"):
        assert account.refusal("GET", "/projects", limit=bad, **org)[0] == 400
    assert account.refusal("GET", "/projects", cursor="%%%", **org)[0] == 400
    for project in projects:
        project.delete()


def test_a_personal_key_has_to_name_the_organization(account: Account) -> None:
    message = "org_id is required, you can find it on your organization settings page"
    assert account.refusal("POST", "/projects", {"project": {"name": "x"}}) == (400, message)
    assert account.refusal("GET", "/projects") == (400, message)
    body = {"project": {"name": "x", "org_id": "org-other-1"}}
    assert account.refusal("POST", "/projects", body)[0] == 404


@pytest.mark.parametrize("ip", ["example.com", "203.0.113.0/33", "203.0.113.9-203.0.113.1", ""])
def test_an_allow_list_of_nonsense_is_refused(project: Project, ip: str) -> None:
    body = {"project": {"settings": {"allowed_ips": {"ips": ["203.0.113.0/24", ip]}}}}
    status, message = project.account.refusal("PATCH", project.path, body)
    assert (status, f'"{ip}"' in message) == (400, True)


def test_a_region_that_neon_does_not_have_is_refused(account: Account) -> None:
    body = {"project": {"org_id": account.cloud.neon_org_id, "region_id": "us-east-1"}}
    status, message = account.refusal("POST", "/projects", body)
    assert (status, "us-east-1" in message) == (400, True)


def test_settings_are_merged_and_an_empty_allow_list_clears(own: Project) -> None:
    def patch(**project: object) -> dict[str, object]:
        own.do("PATCH", own.path, {"project": project})
        changed: dict[str, object] = own.account.ask("GET", own.path)["project"]
        return changed

    window = {"weekdays": [2], "start_time": "01:00", "end_time": "02:00"}
    patch(
        settings={"allowed_ips": {"ips": ["203.0.113.0/24"]}, "quota": {"active_time_seconds": 9}}
    )
    changed = patch(settings={"maintenance_window": window, "quota": {"logical_size_bytes": 5}})
    settings = changed["settings"]
    assert isinstance(settings, dict)
    assert settings["allowed_ips"] == {"ips": ["203.0.113.0/24"], "protected_branches_only": False}
    assert settings["maintenance_window"] == window
    assert settings["quota"] == {"active_time_seconds": 9, "logical_size_bytes": 5}
    changed = patch(settings={"allowed_ips": {}}, name="renamed", history_retention_seconds=3600)
    settings = changed["settings"]
    assert isinstance(settings, dict)
    assert settings["allowed_ips"] == {"ips": [], "protected_branches_only": False}
    assert (changed["name"], changed["history_retention_seconds"]) == ("renamed", 3600)
    assert own.wait()[0]["action"] == "apply_storage_config"


def test_defaults_for_endpoints_leave_the_live_one_alone(own: Project) -> None:
    sizes = {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 2}
    own.do("PATCH", own.path, {"project": {"default_endpoint_settings": sizes}})
    live = own.account.ask("GET", own.endpoint)["endpoint"]
    assert live["autoscaling_limit_max_cu"] == 0.25
    made = own.do("POST", f"{own.path}/branches", {"endpoints": [{"type": "read_write"}]})
    assert made["endpoints"][0]["autoscaling_limit_max_cu"] == 2
    own.do("PATCH", own.endpoint, {"endpoint": {**sizes, "suspend_timeout_seconds": 120}})
    live = own.account.ask("GET", own.endpoint)["endpoint"]
    assert (live["autoscaling_limit_max_cu"], live["suspend_timeout_seconds"]) == (2, 120)


def test_a_deleted_project_is_gone_and_can_be_recovered(account: Account) -> None:
    project = account.project("phoenix")
    query(project.uri, "CREATE TABLE ash AS SELECT 1 AS n")
    account.ask("DELETE", project.path)
    assert account.refusal("GET", project.path) == (404, "project not found")
    assert account.refusal("DELETE", project.path) == (404, "project not found")
    org = {"org_id": account.cloud.neon_org_id, "search": "phoenix"}
    assert account.ask("GET", "/projects", **org)["projects"] == []
    [item] = account.ask("GET", "/projects", recoverable="true", **org)["projects"]
    assert item["id"] == project.id
    assert item["recoverable_until"] > item["deleted_at"]
    recovered = account.ask("POST", f"{project.path}/recover")
    assert recovered["branches"][0]["id"] == project.made["branch"]["id"]
    assert query(project.uri, "SELECT n FROM ash") == [(1,)]
    assert account.refusal("POST", f"{project.path}/recover")[0] == 404
    project.delete()


def test_a_project_that_stores_no_passwords_does_not_reveal_them(account: Account) -> None:
    project = account.project("closed", store_passwords=False)
    assert query(project.uri, "SELECT 1") == [(1,)]
    path = f"{project.branch}/roles/neondb_owner/reveal_password"
    assert account.refusal("GET", path)[0] == 412
    project.delete()


def test_a_project_is_shared_and_no_longer(project: Project) -> None:
    account, path = project.account, f"{project.path}/permissions"
    granted = account.ask("POST", path, {"email": "friend@example.com"})
    assert account.ask("GET", path)["project_permissions"] == [granted]
    assert account.refusal("POST", path, {"email": "friend@example.com"})[0] == 409
    assert account.refusal("POST", path, {"email": "nobody"})[0] == 400
    account.ask("DELETE", f"{path}/{granted['id']}")
    assert account.ask("GET", path)["project_permissions"] == []
    assert account.refusal("DELETE", f"{path}/{granted['id']}")[0] == 404


# Operations and locks


def test_mutations_wait_their_turn_while_reads_go_through(tmp_path: Path) -> None:
    with local_cloud(tmp_path / "slow", pace=0.3) as cloud, cloud.client() as client:
        account = Account(cloud, client)
        body = {"project": {"name": "slow", "org_id": cloud.neon_org_id}}
        made = account.ask("POST", "/projects", body)
        path = f"/projects/{made['project']['id']}"
        branch = f"{path}/branches/{made['branch']['id']}"
        endpoint = f"{path}/endpoints/{made['endpoints'][0]['id']}"
        for method, target, change in (
            ("PATCH", path, {"project": {"name": "x"}}),
            ("DELETE", path, None),
            ("POST", f"{path}/branches", {}),
            ("PATCH", branch, {"branch": {"name": "x"}}),
            ("POST", f"{branch}/roles", {"role": {"name": "x"}}),
            (
                "POST",
                f"{branch}/databases",
                {"database": {"name": "x", "owner_name": "neondb_owner"}},
            ),
            ("PATCH", endpoint, {"endpoint": {"disabled": True}}),
            ("POST", f"{endpoint}/restart", None),
            ("DELETE", endpoint, None),
        ):
            assert account.refusal(method, target, change) == (423, LOCKED)
        for target in (path, f"{path}/branches", f"{branch}/roles", endpoint):
            assert account.send("GET", target).status_code == 200
        # A connection does not have to wait until the operations have taken their time.
        uri = made["connection_uris"][0]["connection_uri"]
        assert query(uri, "SELECT 1") == [(1,)]
        operations = Project(account, made).wait()
        spent = {each["id"]: each["total_duration_ms"] for each in operations}
        asked = [spent[each["id"]] for each in made["operations"]]
        # 3.1 s and 4.8 s on Neon.
        assert asked[0] >= 900
        assert asked[1] >= 1400
        assert account.send("PATCH", path, {"project": {"name": "x"}}).status_code == 200


def test_an_operation_of_another_project_is_not_found(project: Project, own: Project) -> None:
    operation = own.wait()[0]["id"]
    path = f"{project.path}/operations/{operation}"
    assert project.account.refusal("GET", path)[0] == 404


# Branches


def test_branches_are_listed_sorted_searched_and_counted(own: Project) -> None:
    account, path = own.account, f"{own.path}/branches"
    for name in ("b", "a"):
        own.do("POST", path, {"branch": {"name": name}})
    assert [b["name"] for b in account.ask("GET", path)["branches"]] == ["a", "b", "main"]
    listed = account.ask("GET", path, sort_by="name", sort_order="asc", limit=2)
    assert [b["name"] for b in listed["branches"]] == ["a", "b"]
    listed = account.ask(
        "GET", path, sort_by="name", sort_order="asc", limit=2, cursor=listed["pagination"]["next"]
    )
    assert [b["name"] for b in listed["branches"]] == ["main"]
    assert "next" not in listed["pagination"]
    assert [b["name"] for b in account.ask("GET", path, search="MAI")["branches"]] == ["main"]
    assert account.ask("GET", f"{path}/count") == {"count": 3}
    assert account.refusal("GET", path, sort_by="size")[0] == 400


def test_a_branch_name_is_taken_once(own: Project) -> None:
    path = f"{own.path}/branches"
    answer = own.account.send("POST", path, {"branch": {"name": "main"}})
    assert answer.status_code == 409
    assert answer.json()["code"] == "BRANCH_ALREADY_EXISTS"
    assert answer.json()["message"] == 'branch already exists; branch_name:"main"'
    refused = own.account.refusal("PATCH", own.branch, {"branch": {"name": "main"}})
    assert refused == (400, "cannot set branch to the same name")


def test_a_branch_without_endpoint_has_data_and_no_host(own: Project) -> None:
    made = own.do("POST", f"{own.path}/branches")
    assert made["endpoints"] == []
    assert "connection_uris" not in made
    path = f"{own.path}/branches/{made['branch']['id']}"
    assert own.account.ask("GET", f"{path}/endpoints")["endpoints"] == []
    names = [each["name"] for each in own.account.ask("GET", f"{path}/databases")["databases"]]
    assert names == ["neondb"]
    # A role can be made all the same, and works as soon as there is an endpoint.
    role = own.do("POST", f"{path}/roles", {"role": {"name": "early"}})["role"]
    body = {"endpoint": {"branch_id": made["branch"]["id"], "type": "read_write"}}
    endpoint = own.do("POST", f"{own.path}/endpoints", body)["endpoint"]
    uri = f"postgresql://early:{role['password']}@{endpoint['host']}/neondb?sslmode=require"
    assert query(uri, "SELECT current_user") == [("early",)]


def test_branches_that_must_stay_cannot_be_deleted(own: Project) -> None:
    account = own.account
    child = own.do("POST", f"{own.path}/branches", {"branch": {"name": "child"}})["branch"]
    path = f"{own.path}/branches/{child['id']}"
    own.do("POST", f"{own.path}/branches", {"branch": {"name": "grand", "parent_id": child["id"]}})
    assert account.refusal("DELETE", own.branch) == (422, "cannot delete the default branch")
    assert account.refusal("DELETE", path) == (422, "cannot delete branch that has children")
    account.ask("POST", f"{path}/set_as_default")
    assert account.refusal("DELETE", own.branch) == (422, "cannot delete a root branch")
    assert account.ask("GET", own.branch)["branch"]["primary"] is False
    assert account.ask("GET", path)["branch"]["primary"] is True
    account.ask("PATCH", path, {"branch": {"protected": True}})
    assert account.refusal("DELETE", own.path)[0] == 422
    account.ask("PATCH", path, {"branch": {"protected": False}})


def test_a_deleted_branch_can_be_recovered(own: Project) -> None:
    made = own.do(
        "POST",
        f"{own.path}/branches",
        {"branch": {"name": "b"}, "endpoints": [{"type": "read_write"}]},
    )
    uri = made["connection_uris"][0]["connection_uri"]
    path = f"{own.path}/branches/{made['branch']['id']}"
    query(uri, "CREATE TABLE kept AS SELECT 5 AS n")
    deleted = own.do("DELETE", path)
    assert [each["action"] for each in deleted["operations"]] == [
        "suspend_compute",
        "delete_timeline",
    ]
    assert own.account.refusal("GET", path) == (404, "branch not found")
    assert own.account.send("DELETE", path).status_code == 204
    assert len(own.account.ask("GET", f"{own.path}/branches")["branches"]) == 1
    listed = own.account.ask("GET", f"{own.path}/branches", include_deleted="true")["branches"]
    assert {each["name"] for each in listed if "recovery" in each} == {"b"}
    own.account.ask("POST", f"{path}/recover")
    assert query(uri, "SELECT n FROM kept") == [(5,)]
    own.do("DELETE", path, hard_delete="true")
    assert own.account.refusal("GET", path)[0] == 404
    assert own.account.refusal("POST", f"{path}/recover")[0] == 404


@pytest.mark.parametrize("wanted", [{"archived": True}, {"init_source": "schema-only"}])
def test_what_the_copy_cannot_do_is_said(own: Project, wanted: dict[str, object]) -> None:
    status, message = own.account.refusal("POST", f"{own.path}/branches", {"branch": wanted})
    assert status == 501
    assert "not in the local cloud" in message


# Endpoints, roles, databases


def test_an_endpoint_is_suspended_started_and_restarted(own: Project) -> None:
    stopped = own.do("POST", f"{own.endpoint}/suspend")
    assert [each["action"] for each in stopped["operations"]] == ["suspend_compute"]
    assert own.state() == "idle"
    assert own.account.ask("POST", f"{own.endpoint}/suspend")["operations"] == []
    started = own.do("POST", f"{own.endpoint}/start")
    assert [each["action"] for each in started["operations"]] == ["start_compute"]
    assert own.state() == "active"
    again = own.do("POST", f"{own.endpoint}/restart")
    assert [each["action"] for each in again["operations"]] == ["suspend_compute", "start_compute"]
    assert own.state() == "active"


def test_a_branch_has_one_read_write_endpoint(own: Project) -> None:
    body = {"endpoint": {"branch_id": own.made["branch"]["id"], "type": "read_write"}}
    answer = own.account.send("POST", f"{own.path}/endpoints", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "ENDPOINTS_LIMIT_EXCEEDED"
    assert answer.json()["message"] == "read_write endpoint already exists"
    own.do("DELETE", own.endpoint)
    assert own.account.refusal("GET", own.endpoint)[0] == 404
    made = own.do("POST", f"{own.path}/endpoints", body)["endpoint"]
    assert made["host"] != own.made["endpoints"][0]["host"]
    host = urlsplit(own.uri).hostname
    assert host
    assert query(own.uri.replace(host, made["host"]), "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sizes",
    [
        {"autoscaling_limit_min_cu": 2, "autoscaling_limit_max_cu": 1},
        {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 10},
        {"autoscaling_limit_min_cu": 16, "autoscaling_limit_max_cu": 20},
        {"autoscaling_limit_min_cu": 0.1},
        {"suspend_timeout_seconds": 59},
        {"suspend_timeout_seconds": 604_801},
        {"branch_id": "br-other"},
    ],
)
def test_an_endpoint_of_an_impossible_size_is_refused(
    project: Project, sizes: dict[str, float]
) -> None:
    assert project.account.refusal("PATCH", project.endpoint, {"endpoint": sizes})[0] == 400


def test_what_is_missing_is_404_to_read_and_204_to_delete(project: Project) -> None:
    branch = project.made["branch"]["id"]
    message = f'role not found for branch; role_name:"r", branch_id:"{branch}"'
    account = project.account
    assert account.refusal("GET", f"{project.branch}/roles/r") == (404, message)
    assert account.refusal("GET", f"{project.branch}/roles/r/reveal_password") == (404, message)
    assert account.refusal("GET", f"{project.branch}/databases/d")[0] == 404
    assert account.refusal("GET", f"{project.path}/branches/br-x") == (404, "branch not found")
    assert account.refusal("GET", f"{project.path}/endpoints/ep-x") == (404, "endpoint not found")
    operation = f"{project.path}/operations/00000000-0000-4000-8000-000000000000"
    assert account.refusal("GET", operation) == (404, "operation not found")
    for path in (
        f"{project.branch}/roles/r",
        f"{project.branch}/databases/d",
        f"{project.path}/endpoints/ep-x",
        f"{project.path}/branches/br-x",
    ):
        answer = account.send("DELETE", path)
        assert (answer.status_code, answer.content) == (204, b"")


def test_roles_and_databases_exist_once_and_have_an_owner(project: Project) -> None:
    account = project.account
    databases, roles = f"{project.branch}/databases", f"{project.branch}/roles"
    body = {"database": {"name": "neondb", "owner_name": "neondb_owner"}}
    assert account.refusal("POST", databases, body) == (
        409,
        "database with name neondb already exists",
    )
    body = {"database": {"name": "d", "owner_name": "nobody"}}
    assert account.refusal("POST", databases, body) == (
        404,
        'database owner not found; role_name:"nobody"',
    )
    assert account.refusal("POST", roles, {"role": {"name": "neondb_owner"}})[0] == 409
    for name in ("pg_x", "cloud_admin", "neon_superuser", "public", "n" * 64, "ü" * 40):
        assert account.refusal("POST", roles, {"role": {"name": name}})[0] == 400


def test_names_that_need_quoting_work(project: Project) -> None:
    name = "we\"ird na'me; --"
    role = project.do("POST", f"{project.branch}/roles", {"role": {"name": name}})["role"]
    assert "password" in role
    project.do(
        "POST",
        f"{project.branch}/databases",
        {"database": {"name": name, "owner_name": name}},
    )
    uri = project.account.ask(
        "GET", f"{project.path}/connection_uri", role_name=name, database_name=name
    )["uri"]
    assert query(uri, "SELECT current_user, current_database()") == [(name, name)]
    databases = project.account.ask("GET", f"{project.branch}/databases")["databases"]
    assert databases[-1]["name"] == name
    quoted = httpx.URL(f"http://x/{name}").raw_path.decode().removeprefix("/").replace(";", "%3B")
    project.do("DELETE", f"{project.branch}/databases/{quoted}")
    project.do("DELETE", f"{project.branch}/roles/{quoted}")


def test_a_connection_string_is_direct_or_pooled(project: Project) -> None:
    wanted = {"role_name": "neondb_owner", "database_name": "neondb"}
    path = f"{project.path}/connection_uri"
    assert project.account.ask("GET", path, **wanted) == {"uri": project.uri}
    assert project.account.ask("GET", path, **wanted, pooled="true") == {"uri": project.pooled_uri}
    endpoint = project.made["endpoints"][0]["id"]
    assert project.account.ask("GET", path, **wanted, endpoint_id=endpoint) == {"uri": project.uri}
    assert project.account.refusal("GET", path, role_name="neondb_owner")[0] == 400
    assert project.account.refusal("GET", path, **wanted, branch_id="br-x")[0] == 404
    assert project.account.refusal("GET", path, **(wanted | {"role_name": "r"}))[0] == 404


# Plans


def test_the_free_plan_refuses_what_it_does_not_have(tmp_path: Path) -> None:
    with local_cloud(tmp_path / "free", plan="free") as cloud, cloud.client() as client:
        account = Account(cloud, client)
        body = {"org_id": cloud.neon_org_id, "history_retention_seconds": 86_400}
        assert account.refusal("POST", "/projects", {"project": body}) == (
            400,
            (
                "requested history retention seconds exceeds allowed maximum; "
                'requested_history_retention_seconds:"86400", max:"21600"'
            ),
        )
        project = account.project("small")
        assert project.made["project"]["history_retention_seconds"] == 21_600
        window = project.made["project"]["settings"]["maintenance_window"]
        assert account.refusal(
            "PATCH", project.path, {"project": {"settings": {"maintenance_window": window}}}
        ) == (400, "editing maintenance window preferences is not allowed for this account")
        for settings in ({"suspend_timeout_seconds": 120}, {"suspend_timeout_seconds": -1}):
            assert account.refusal("PATCH", project.endpoint, {"endpoint": settings})[0] == 400
        big = {"autoscaling_limit_min_cu": 1, "autoscaling_limit_max_cu": 4}
        assert account.refusal("PATCH", project.endpoint, {"endpoint": big})[0] == 400
        ips = {"project": {"settings": {"allowed_ips": {"ips": ["203.0.113.1"]}}}}
        assert account.refusal("PATCH", project.path, ips)[0] == 400
        answer = account.send("PATCH", project.branch, {"branch": {"protected": True}})
        assert (answer.status_code, answer.json()["code"]) == (
            422,
            "BRANCHES_PROTECTED_LIMIT_EXCEEDED",
        )
