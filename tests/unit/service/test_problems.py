import logging
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import httpx
import psycopg
import psycopg_pool
import pytest
from fastapi import FastAPI, Query
from fastapi.responses import StreamingResponse
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, field_validator

from tenantry.service.problems import ProblemError, install, problems
from tests.logs import logged
from tests.serving import served

SECRET = "pass-the-word-7"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    app_name: str
    sizes: dict[str, int] = {}

    @field_validator("app_name")
    @classmethod
    def _label(cls, value: str) -> str:
        if value != value.lower():
            raise ValueError("a name has lower-case letters")
        return value


def application() -> FastAPI:
    app = FastAPI()
    install(app)

    @app.post("/apps", responses=problems(409))
    def create(asked: Asked, limit: Annotated[int, Query(ge=1)] = 1) -> dict[str, Any]:
        if asked.app_name == "taken":
            raise ProblemError(
                409,
                "name-taken",
                "The name is taken",
                "acme/taken is there already",
                headers={"Link": "</apps/1>"},
                app="/apps/1",
            )
        return {"limit": limit}

    @app.get("/fails")
    def fails() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(f"it was {SECRET}") from error

    @app.get("/wrong")
    def wrong() -> Asked:
        return {"app_name": [SECRET]}  # type: ignore[return-value]

    @app.get("/away")
    def away(kind: str) -> None:
        if kind == "pool":
            raise psycopg_pool.PoolTimeout(f"couldn't get a connection to {SECRET}")
        raise psycopg.errors.AdminShutdown(f"terminating the connection of {SECRET}")

    @app.get("/half")
    def half() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"the first half, "
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    return app


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    with served(application()) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test leaves the secret in a log, the server's own included."""
    caplog.set_level(logging.DEBUG)
    yield
    assert SECRET not in logged(caplog)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert SECRET not in answer.text
    return found


def test_a_problem_has_its_kind_members_and_headers(service: httpx.Client) -> None:
    answer = service.post("/apps", json={"app_name": "taken"})
    assert problem(answer, 409) == {
        "type": "/problems/name-taken",
        "title": "The name is taken",
        "status": 409,
        "detail": "acme/taken is there already",
        "app": "/apps/1",
    }
    assert answer.headers["link"] == "</apps/1>"


def test_each_field_is_named_and_no_value_repeated(service: httpx.Client) -> None:
    body = {"app_name": SECRET.upper(), "sizes": {"a/b~c": SECRET}, SECRET[:4]: SECRET}
    answer = service.post("/apps?limit=0", json=body)
    found = problem(answer, 422)
    assert found["type"] == "/problems/invalid-request"
    assert {
        (each.get("pointer") or each["parameter"], each["detail"].split(",")[0])
        for each in found["errors"]
    } == {
        ("limit", "Input should be greater than or equal to 1"),
        ("#/app_name", "a name has lower-case letters"),
        ("#/sizes/a~1b~0c", "Input should be a valid integer"),
        ("#/pass", "Extra inputs are not permitted"),
    }
    assert SECRET.upper() not in answer.text


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_bad_request(service: httpx.Client, body: bytes) -> None:
    answer = service.post("/apps", content=body, headers={"content-type": "application/json"})
    problem(answer, 400 if body else 422)


def test_what_the_framework_says_is_a_problem_too(service: httpx.Client) -> None:
    assert problem(service.get("/nowhere"), 404)["type"] == "about:blank"
    answer = service.delete("/apps")
    assert problem(answer, 405)["title"] == "Method Not Allowed"
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/fails", "/wrong"])
def test_what_nobody_expected_says_nothing_of_its_inside(
    service: httpx.Client, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = problem(service.get(path), 500)
    assert found["incident"] in caplog.text
    assert path.strip("/") in caplog.text, "the function in which it was raised"


def test_causes_are_in_the_log(service: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    service.get("/fails")
    assert "RuntimeError at" in caplog.text
    assert "because of ValueError at" in caplog.text


@pytest.mark.parametrize("kind", ["pool", "shutdown"])
def test_a_database_that_is_away_passes(service: httpx.Client, kind: str) -> None:
    answer = service.get("/away", params={"kind": kind})
    assert problem(answer, 503)["type"] == "/problems/database-away"
    assert int(answer.headers["retry-after"]) > 0


def test_half_an_answer_is_not_taken_for_a_whole_one(service: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        service.get("/half")


def test_the_document_knows_the_problems(service: httpx.Client) -> None:
    document = service.get("/openapi.json").json()
    assert document == service.get("/openapi.json").json()
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])
    declared = document["paths"]["/apps"]["post"]["responses"]
    assert set(declared) == {"200", "400", "409", "422"}
    for status in ("400", "409", "422"):
        assert declared[status]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    schema = document["components"]["schemas"]["Problem"]
    Draft202012Validator.check_schema(schema)
    for answer in (service.post("/apps", json={}), service.get("/fails"), service.get("/none")):
        Draft202012Validator(schema).validate(answer.json())
