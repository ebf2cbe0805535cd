"""The OpenAPI document: complete, with examples that fit, and kept to by every answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.service.api import Api, api, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.localcloud.catalog import Catalog

METHODS = {"get", "post", "patch", "put", "delete"}
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,negative_data_rejection"
)
OPEN = {
    *("/healthz", "/readyz", "/webhooks/auth/health"),
    # These have secrets of their own.
    *("/webhooks/auth/signup", "/api/webhooks/auth/signup"),
}


@pytest.fixture
def service(catalog: Catalog, tmp_path: Path) -> Iterator[Api]:
    with api(catalog, tmp_path, wait=0, events=1) as running:
        yield running


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"{method} {path}", operation


def test_every_route_and_every_answer_has_an_example_that_fits(service: Api) -> None:
    document = httpx.get(f"{service.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    lacking = []
    for name, operation in operations(document):
        if name.split()[1] not in OPEN:
            assert operation["security"] == [{"bearer": []}], name
            assert {"400", "401", "403", "429", "500", "503"} <= operation["responses"].keys(), name
        assert operation.get("summary"), name
        contents = [
            (f"{name} {status}", kind, content)
            for status, answer in operation["responses"].items()
            for kind, content in answer.get("content", {}).items()
        ]
        body = operation.get("requestBody", {}).get("content", {})
        contents += [(f"{name} body", kind, content) for kind, content in body.items()]
        for where, _, content in contents:
            examples = _examples(document, content)
            if not examples:
                lacking.append(where)
            schema = {**content["schema"], "components": document["components"]}
            for each in examples:
                Draft202012Validator(schema).validate(each)
    assert lacking == []


def _examples(document: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    if "examples" in content:
        return [each["value"] for each in content["examples"].values()]
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: list[Any] = schema.get("examples", [])
    return found


def test_no_request_is_answered_otherwise_than_the_document_says(
    service: Api, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        service.create(name, plan="pro")
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "run", f"{service.url}/openapi.json"),
            *(
                "--header",
                f"Authorization: Bearer {token(scope='apps:read apps:write apps:delete')}",
            ),
            *(
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "4",
                # Of CPython 3.11 two threads that parse Python at once fail.
                "--workers",
                "1",
                "--seed",
                "1",
            ),
            *("--checks", CHECKS),
            *("--max-response-time", "10", "--request-timeout", "15", "--no-color"),
            *("--report", "har", "--report-har-path", str(report)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    answers = [
        entry["response"]["status"] for entry in json.loads(report.read_text())["log"]["entries"]
    ]
    assert len(answers) > 300
