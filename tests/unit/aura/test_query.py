import base64
import json
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from tenantry.aura.query import (
    Connection,
    QueryClient,
    QueryError,
    QueryResult,
    QueryUnreachableError,
    http_url,
)
from tests.unit.aura.support import PASSWORD

WHERE = Connection("neo4j+s://db1.example", "neo4j", PASSWORD)
ONE = httpx.Response(202, json={"data": {"fields": ["ok"], "values": [[1]]}, "bookmarks": ["FB:1"]})


def client(
    answer: Any, seen: list[httpx.Request] | None = None, at: Connection = WHERE
) -> QueryClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    return QueryClient(at, transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("neo4j+s://h.example", "https://h.example"),
        ("neo4j+s://h.example:7687", "https://h.example"),
        ("neo4j+ssc://h.example:7687", "https://h.example"),
        ("bolt+s://h.example", "https://h.example"),
        ("bolt+ssc://h.example:9999", "https://h.example:9999"),
        ("neo4j://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("neo4j://127.0.0.1", "http://127.0.0.1:7474"),
        ("bolt://127.0.0.1:7687", "http://127.0.0.1:7474"),
        ("bolt://[::1]:8080", "http://[::1]:8080"),
        ("http://127.0.0.1:7474", "http://127.0.0.1:7474"),
        ("https://h.example", "https://h.example"),
        ("https://h.example:8443", "https://h.example:8443"),
    ],
)
def test_a_uri_has_its_query_api_at(uri: str, url: str) -> None:
    assert http_url(uri) == url


@pytest.mark.parametrize(
    "uri", ["", "h.example", "ftp://h", "neo4j+s://", "neo4j+s://u:pw@h", "bolt://h:x"]
)
def test_what_is_no_such_uri_is_refused_and_not_shown(uri: str) -> None:
    with pytest.raises(ValueError, match="not the URI of a Neo4j") as caught:
        http_url(uri)
    assert "pw" not in str(caught.value)


def test_the_request_is_what_the_documentation_says() -> None:
    seen: list[httpx.Request] = []
    with client(ONE, seen) as asked:
        found = asked.run(
            "RETURN $x AS ok", {"x": 1}, access="Read", bookmarks=["FB:0"], counters=True
        )
    assert found == QueryResult(("ok",), ((1,),), ("FB:1",))
    assert found.rows() == [{"ok": 1}]
    (request,) = seen
    assert str(request.url) == "https://db1.example/db/neo4j/query/v2"
    assert request.headers["accept"] == "application/json"
    assert (
        request.headers["authorization"]
        == "Basic " + base64.b64encode(f"neo4j:{PASSWORD}".encode()).decode()
    )
    assert json.loads(request.content) == {
        "statement": "RETURN $x AS ok",
        "parameters": {"x": 1},
        "accessMode": "Read",
        "bookmarks": ["FB:0"],
        "includeCounters": True,
    }


def test_a_user_named_for_the_instance_has_its_database_named_so_too() -> None:
    assert Connection("neo4j+s://h", "db1d1234", "p").url == "https://h/db/db1d1234/query/v2"
    assert Connection("neo4j+s://h", "db1d1234", "p", "a/b").url == "https://h/db/a%2Fb/query/v2"


def test_rows_become_what_is_asked_for() -> None:
    class Person(BaseModel):
        name: str
        age: int

    values = [["Ann", 7], ["Bo", 8]]
    answer = httpx.Response(200, json={"data": {"fields": ["name", "age"], "values": values}})
    with client(answer) as asked:
        assert asked.run("MATCH …").of(Person) == [
            Person(name="Ann", age=7),
            Person(name="Bo", age=8),
        ]


def test_no_rows_and_one_flat_row_are_answers() -> None:
    none = httpx.Response(202, json={"data": {"fields": ["n"], "values": []}})
    with client(none) as asked:
        assert asked.run("MATCH …").rows() == []
    flat = httpx.Response(202, json={"data": {"fields": ["a", "b"], "values": [1, 2]}})
    with client(flat) as asked:
        assert asked.run("RETURN 1 AS a, 2 AS b").rows() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("status", [202, 400, 401, 404])
def test_an_error_counts_also_inside_a_success(status: int) -> None:
    body = {
        "data": {"fields": ["n"], "values": [[1]]},
        "errors": [{"code": "Neo.ClientError.X", "message": f"no\n{PASSWORD}"}],
    }
    with (
        client(httpx.Response(status, json=body)) as asked,
        pytest.raises(
            QueryError, match=rf"^db1.example: {status} Neo.ClientError.X: no …$"
        ) as caught,
    ):
        asked.run("RETURN 1")
    assert (caught.value.code, caught.value.status) == ("Neo.ClientError.X", status)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>"), "200 the answer is not that of a Query API"),
        (httpx.Response(202, text='{"data": {"fields": ["a"]'), "not that of a Query API"),
        (
            httpx.Response(202, json={"data": {"fields": ["a", "b"], "values": [[1]]}}),
            "not that of a Query API",
        ),
        (httpx.Response(503, text="x"), "503 Service Unavailable"),
    ],
)
def test_an_answer_that_is_none_is_an_error(answer: httpx.Response, said: str) -> None:
    with client(answer) as asked, pytest.raises(QueryError, match=said):
        asked.run("RETURN 1")


def test_no_answer_is_said_with_the_host() -> None:
    with (
        client(httpx.ConnectError("refused")) as asked,
        pytest.raises(QueryUnreachableError, match=r"^db1.example: no answer: refused$"),
    ):
        asked.run("RETURN 1")


def test_the_health_check_wants_a_one() -> None:
    with client(ONE) as asked:
        asked.check()
    two = httpx.Response(202, json={"data": {"fields": ["ok"], "values": [[2]]}})
    with client(two) as asked, pytest.raises(QueryUnreachableError, match="something else"):
        asked.check()


def test_a_password_is_in_no_repr() -> None:
    assert PASSWORD not in repr(WHERE)
