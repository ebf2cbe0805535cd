from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from localcloud.aura.neo4j import Neo4j
from tests.unit.localcloud.aura.account import CHANGE, CREATE, Account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.localcloud.aura.account import Json


def errors(answer: httpx.Response) -> list[str]:
    return [each["code"] for each in answer.json()["errors"]]


@pytest.mark.parametrize("kind", ["free", "running"])
def test_the_issued_password_opens_the_users_database(account: Account, kind: str) -> None:
    made = getattr(account, kind)()
    answer = account.query(made, "RETURN 1 AS ok")
    assert answer.status_code == 202
    document = answer.json()
    assert document["data"] == {"fields": ["ok"], "values": [[1]]}
    assert document["bookmarks"][0].startswith("FB:")
    assert account.query(made, "RETURN $x AS x", {"x": [1]}).json()["data"]["values"] == [[[1]]]


def test_counters_come_when_asked_for(account: Account) -> None:
    made = account.running()
    body = {"statement": "RETURN 1", "includeCounters": True, "accessMode": "Read"}
    counters = account.query(made, "", json=body).json()["counters"]
    assert counters["containsUpdates"] is False
    assert counters["nodesCreated"] == 0
    assert "counters" not in account.query(made, "RETURN 1").json()


def test_other_credentials_are_refused_as_neo4j_does(account: Account) -> None:
    made, other = account.running(), account.free()
    for auth in (
        None,
        (made["username"], "wrong"),
        (made["username"], ""),
        ("other", made["password"]),
        (other["username"], made["password"]),
    ):
        answer = account.query(made, "RETURN 1", auth=auth)
        assert answer.status_code == 401
        assert errors(answer) == ["Neo.ClientError.Security.Unauthorized"]
        assert answer.headers["www-authenticate"].startswith('Basic realm="Neo4j"')


def test_the_password_is_good_after_a_kill_and_not_after_a_deletion(account: Account) -> None:
    made = account.running()
    account.open()
    assert account.query(made, "RETURN 1").status_code == 202
    account.ask("DELETE", f"/instances/{made['id']}")
    assert account.query(made, "RETURN 1").status_code == 503
    account.clock.seconds += CHANGE
    assert account.query(made, "RETURN 1").status_code == 401


def test_an_instance_answers_only_while_it_runs(account: Account) -> None:
    made = account.create()
    answer = account.query(made, "RETURN 1")
    assert answer.status_code == 503
    assert errors(answer) == ["Neo.TransientError.General.DatabaseUnavailable"]
    account.clock.seconds += CREATE + CHANGE
    assert account.query(made, "RETURN 1").status_code == 202
    account.ask("POST", f"/instances/{made['id']}/pause")
    account.clock.seconds += CHANGE
    assert account.query(made, "RETURN 1").status_code == 503


def test_another_database_does_not_exist(account: Account) -> None:
    answer = account.query(account.free(), "RETURN 1", database="neo4j")
    assert answer.status_code == 404
    assert errors(answer) == ["Neo.ClientError.Database.DatabaseNotFound"]


def test_a_graph_is_not_pretended(account: Account) -> None:
    answer = account.query(account.running(), "MATCH (n) RETURN count(n)")
    assert answer.status_code == 400
    assert "no graph behind" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"statement": 1}',
        b'{"statement": "RETURN $x", "parameters": {"x": NaN}}',
        b'{"statement": "RETURN $x", "parameters": {"x": "\\ud800"}}',
    ],
)
def test_a_body_that_is_no_query_is_refused(account: Account, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = account.query(account.running(), "", json=None, content=content, headers=headers)
    assert answer.status_code == 400
    assert errors(answer) == ["Neo.ClientError.Request.Invalid"]


def test_a_query_needs_a_json_content_type(account: Account) -> None:
    answer = account.query(account.running(), "", json=None, content=b"{}")
    assert answer.status_code == 415


class Graph:
    """A Neo4j as its Query API shows it."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(self.status, json={"data": {"fields": ["n"], "values": [[42]]}})


def with_graph(path: Path, graph: Graph, url: str) -> Account:
    neo4j = Neo4j(url)
    neo4j.connect(httpx.MockTransport(graph))
    return Account(path / "state.db", neo4j=neo4j)


def test_queries_go_on_to_a_neo4j_with_its_own_credentials(tmp_path: Path) -> None:
    graph = Graph()
    account = with_graph(tmp_path, graph, "http://me:p%40ss@127.0.0.1:7474")
    made = account.free()
    answer = account.query(made, "MATCH (n) RETURN n", {"x": 1})
    assert (answer.status_code, answer.json()["data"]["values"]) == (202, [[42]])
    (request,) = graph.seen
    assert str(request.url) == "http://127.0.0.1:7474/db/neo4j/query/v2"
    assert request.headers["authorization"] == httpx.BasicAuth("me", "p@ss")._auth_header
    sent: Json = json.loads(request.content)
    assert sent == {"statement": "MATCH (n) RETURN n", "parameters": {"x": 1}}


def test_a_wrong_password_does_not_reach_the_neo4j(tmp_path: Path) -> None:
    graph = Graph()
    account = with_graph(tmp_path, graph, "http://127.0.0.1:7474")
    made = account.free()
    assert account.query(made, "RETURN 1", auth=(made["id"], "wrong")).status_code == 401
    assert graph.seen == []


def test_what_the_neo4j_says_is_passed_on_and_its_silence_is_a_503(tmp_path: Path) -> None:
    graph = Graph(400)
    account = with_graph(tmp_path, graph, "http://me:secret@127.0.0.1:7474/mine")
    made = account.free()
    assert account.query(made, "RETURN").status_code == 400
    assert graph.seen[0].url.path == "/db/mine/query/v2"
    graph.status = 0
    answer = account.query(made, "RETURN 1")
    assert answer.status_code == 503
    assert "http://127.0.0.1:7474" in answer.text
    assert "secret" not in answer.text


def test_connections_to_the_neo4j_are_closed() -> None:
    closed: list[Any] = []

    class Transport(httpx.MockTransport):
        async def aclose(self) -> None:
            closed.append(self)

    neo4j = Neo4j("http://127.0.0.1:7474")
    neo4j.connect(Transport(Graph()))
    asyncio.run(neo4j.close())
    assert closed
