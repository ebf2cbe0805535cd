import pytest

from tenantry.aura.errors import (
    AuraAnswerError,
    AuraConflictError,
    AuraCredentialsError,
    AuraNotFoundError,
    AuraQuotaError,
    AuraServerError,
    AuraThrottledError,
    AuraUnsupportedError,
    refused,
)


def test_both_forms_and_plain_text_are_read() -> None:
    listed = refused(
        "PATCH /instances/a",
        400,
        {"errors": [{"message": "Too\nsmall", "reason": "invalid-memory-size", "field": "memory"}]},
        request_id="r/1",
    )
    assert str(listed) == (
        "Aura: PATCH /instances/a: 400 Too small (reason invalid-memory-size, field memory, request r/1)"
    )
    assert listed.refusal.field == "memory"
    assert str(refused("GET /x", 415, {"error": "no type"})) == "Aura: GET /x: 415 no type"
    assert str(refused("GET /x", 502, "upstream\nis gone")) == "Aura: GET /x: 502 upstream is gone"
    assert str(refused("GET /x", 503, "<html>")) == "Aura: GET /x: 503 Service Unavailable"
    assert str(refused("GET /x", 420, None)) == "Aura: GET /x: 420 without a word"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, AuraAnswerError),
        (401, AuraCredentialsError),
        (403, AuraCredentialsError),
        (404, AuraNotFoundError),
        (405, AuraQuotaError),
        (409, AuraConflictError),
        (410, AuraNotFoundError),
        (415, AuraAnswerError),
        (420, AuraUnsupportedError),
        (429, AuraThrottledError),
        (500, AuraServerError),
        (504, AuraServerError),
    ],
)
def test_a_status_has_its_own_error(status: int, kind: type[AuraAnswerError]) -> None:
    assert type(refused("GET /x", status, {"errors": []})) is kind


@pytest.mark.parametrize("body", [[], {"errors": ["x"]}, {"errors": [{}]}, {"errors": {}}, 7, ""])
def test_no_body_can_break_it(body: object) -> None:
    assert str(refused("GET /x", 404, body)) == "Aura: GET /x: 404 Not Found"
